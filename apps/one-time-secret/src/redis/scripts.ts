import { AGAIN_MS, MAX_GUESSES, REMEMBERED_MS } from "../store";

/**
 * KEYS[1] holds the encrypted secret and goes when that ends; KEYS[2] says what it takes, and later what became of it.
 *
 * Whatever is repeated writes again, if only the same: WAIT promises to confirm what its own connection wrote, and could take
 * a repetition that writes nothing for confirmed at once. (Redis 7.0 waits for what others wrote as well.)
 */
const script = (body: string, flags = ""): string => `#!lua${flags}\n${body.trim()}`;

/**
 * Without `no-writes` a replica refuses it, also where it would only read: that is how one notices that the master is another
 * now. A full Redis takes no new secrets, but those that it has can be opened.
 */
const evenWhenFull = (body: string): string => script(body, " flags=allow-oom");

/** proof, sealed, ttl, locked, expires. One that comes late finds the secret made by its repetition, perhaps read by now. */
export const CREATE = script(`
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'proof', ARGV[1])
  return {'created'}
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], 'proof', ARGV[1], 'locked', ARGV[4], 'expires', ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[3] + ${REMEMBERED_MS})
return {'created'}`);

export const LOOK = evenWhenFull(`
local mark = redis.call('HMGET', KEYS[2], 'proof', 'state', 'at', 'expires', 'locked')
if not mark[1] then return {'unknown'} end
if mark[2] then return {mark[2], mark[3]} end
if redis.call('EXISTS', KEYS[1]) == 0 then return {'expired', mark[4]} end
return {'waiting', mark[5], mark[4]}`);

/** proof, reader, guess, at. A guess is counted before it is judged, so that many at once are no more than allowed. */
export const OPEN = evenWhenFull(`
local mark = redis.call('HMGET', KEYS[2], 'proof', 'state', 'at', 'expires', 'locked', 'reader', 'guesses')
if mark[1] ~= ARGV[1] then return {'unknown'} end
local sealed = redis.call('GET', KEYS[1])
local guesses = tonumber(mark[7] or 0)
if mark[2] then
  if sealed and mark[2] == 'used' and mark[6] == ARGV[2] then return {'sealed', sealed, ${MAX_GUESSES} - guesses} end
  return {mark[2], mark[3]}
end
if not sealed then return {'expired', mark[4]} end
if mark[5] == '1' then
  if ARGV[3] == '' then return {'locked'} end
  if redis.call('HSETNX', KEYS[2], 'guess:' .. ARGV[3], 1) == 1 then
    guesses = redis.call('HINCRBY', KEYS[2], 'guesses', 1)
  end
  if guesses > ${MAX_GUESSES} then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[2], 'state', 'destroyed', 'at', ARGV[4])
    return {'destroyed', ARGV[4]}
  end
end
return {'sealed', sealed, ${MAX_GUESSES} - guesses}`);

/** reader, at. */
export const CLAIM = evenWhenFull(`
local mark = redis.call('HMGET', KEYS[2], 'state', 'at', 'expires', 'reader')
local left = redis.call('PTTL', KEYS[1])
if mark[1] then
  if left > 0 and mark[1] == 'used' and mark[4] == ARGV[1] then
    redis.call('HSET', KEYS[2], 'state', 'used')
    return {'claimed'}
  end
  return {mark[1], mark[2]}
end
if left <= 0 then
  if mark[3] then return {'expired', mark[3]} end
  return {'unknown'}
end
redis.call('HSET', KEYS[2], 'state', 'used', 'at', ARGV[2], 'reader', ARGV[1])
if left > ${AGAIN_MS} then redis.call('PEXPIRE', KEYS[1], ${AGAIN_MS}) end
return {'claimed'}`);

/** at */
export const DESTROY = evenWhenFull(`
local state = redis.call('HGET', KEYS[2], 'state')
if state then
  redis.call('HSET', KEYS[2], 'state', state)
elseif redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[2], 'state', 'destroyed', 'at', ARGV[1])
end
return {'done'}`);

/** reader */
export const FORGET = evenWhenFull(`
local mark = redis.call('HMGET', KEYS[2], 'state', 'reader')
if mark[1] == 'used' and mark[2] == ARGV[1] then redis.call('DEL', KEYS[1]) end
return {'done'}`);

/** At the server that has the keys, which in a cluster only a command with a key finds. */
export const REPLICATION = evenWhenFull(`return redis.call('INFO', 'replication')`);
