import type { Destination } from '../../domain/destination.ts';
import { endpointText } from '../../lib/network/endpoint.ts';

/** Address and port, as record, receipt and stream header say them; undefined where there is no destination, or no address of it. */
export function dialledText(destination: Destination | undefined): string | undefined {
  if (destination?.address === undefined) return undefined;
  return endpointText({ host: destination.address, port: destination.port });
}
