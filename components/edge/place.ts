import { selector } from "../lib/labels";
import type { Peer } from "../lib/network";
import { STATUS_COMPONENT, STATUS_PAGE } from "../lib/statusConfig";
import { LISTENS } from "./server";

interface OtherEdge {
  /** The name of its Service. */
  readonly service: string;
  readonly peer: Peer;
  /** Of its pods, for https. */
  readonly port: number;
}

/** The edge of an environment, for those who are in another. */
export const edgeOf = (environment: string): OtherEdge => ({
  service: `edge.${environment}-edge.svc.cluster.local`,
  peer: {
    name: `${environment}-edge`,
    namespace: `${environment}-edge`,
    selector: selector({ environment, component: "edge", name: "edge" }),
  },
  port: LISTENS.https,
});

/** The status page of an environment, likewise. */
export const statusPageOf = (environment: string, name: string): Peer => ({
  name,
  namespace: `${environment}-status`,
  selector: selector({ environment, component: STATUS_COMPONENT, name: STATUS_PAGE }),
});
