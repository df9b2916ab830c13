/**
 * DescribeCluster responses, versions 0 to 2, always flexible (KIP-700, KIP-919).
 *
 *   ThrottleTimeMs int32; ErrorCode int16; ErrorMessage nullable; v1+ EndpointType int8; ClusterId; ControllerId int32;
 *   Brokers [] { BrokerId, Host, Port, Rack nullable, v2+ IsFenced bool, tags }; ClusterAuthorizedOperations int32; tags
 */
import type { Cursor } from './cursor.ts';
import { endpointFindings, readEndpointList } from './endpoints.ts';
import { type Findings, plainFindings } from './findings.ts';

const CONTROLLERS = 2;

export function readDescribeCluster(cursor: Cursor, version: number): Findings {
  const throttleMilliseconds = cursor.int32();
  cursor.skip(2);
  cursor.skipString();
  const endpointType = version >= 1 ? cursor.int8() : 1;
  cursor.skipString();
  cursor.skip(4);
  const list = readEndpointList(cursor, () => {
    cursor.skipString();
    if (version >= 2) cursor.skip(1);
    cursor.skipTags();
  });
  cursor.skip(4);
  cursor.skipTags();
  if (endpointType === CONTROLLERS) return plainFindings(throttleMilliseconds);
  // Fenced brokers may be listed or not, so that absence says nothing.
  return endpointFindings(list, throttleMilliseconds);
}
