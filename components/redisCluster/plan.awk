# Which replica follows which master, from lines "ordinal id ip role master slots machine" of the nodes that stay. Prints
# "ordinal master-id" for each node that must change. No master's replica shares its machine where that can be had; what
# already fits stays as it is.
{
  ordinal[NR] = $1; id[NR] = $2; role[NR] = $4; follows[NR] = $5; machine[NR] = $7
  if ($4 == "master" && $6 > 0) { masters++; master[masters] = NR; index_of[$2] = masters }
  else { free++; node[free] = NR }
}

# Places are numbered: the k-th replica of master m is place (m - 1) * replicas + k.
function owner(place) { return master[int((place - 1) / replicas) + 1] }

function apart(n, place) { return machine[node[n]] != machine[owner(place)] }

# A place for node n, moving others on only where no place is free.
function settle(n, seen,   place) {
  for (place = 1; place <= places; place++) if (!(place in taken) && apart(n, place)) { taken[place] = n; return 1 }
  for (place = 1; place <= places; place++) {
    if ((place in seen) || !apart(n, place)) continue
    seen[place] = 1
    if (settle(taken[place], seen)) { taken[place] = n; return 1 }
  }
  return 0
}

END {
  places = masters * replicas
  for (n = 1; n <= free; n++) {
    m = index_of[follows[node[n]]]
    for (k = 1; m && k <= replicas; k++) {
      place = (m - 1) * replicas + k
      if (!(place in taken) && apart(n, place)) { taken[place] = n; settled[n] = 1; break }
    }
  }
  for (n = 1; n <= free; n++) if (!settled[n]) { split("", seen); settle(n, seen) }
  split("", placed)
  for (place in taken) placed[taken[place]] = 1
  for (n = 1; n <= free; n++)
    for (place = 1; place <= places && !placed[n]; place++) if (!(place in taken)) { taken[place] = n; placed[n] = 1 }
  for (place = 1; place <= places; place++)
    if (place in taken) {
      n = node[taken[place]]
      if (role[n] != "slave" || follows[n] != id[owner(place)]) print ordinal[n], id[owner(place)]
    }
}
