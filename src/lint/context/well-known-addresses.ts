// Where Services of many clusters stand by default, and the port on which clouds give out credentials.
import { parseIpAddress, type IpAddress } from '../../base/ip-address.ts';

/** Of the metadata services of clouds, TCP. */
export const METADATA_PORT = 80;

export interface DefaultServiceAddress {
  readonly address: IpAddress;
  readonly name: string;
}

/** The API server and DNS, as Services, in the default ranges of kubeadm, EKS and k3s (kubeadm `serviceSubnet`; EKS "serviceIpv4Cidr"; k3s `--service-cidr`). */
export const DEFAULT_SERVICE_ADDRESSES: readonly DefaultServiceAddress[] = ['10.96.0', '10.100.0', '172.20.0', '10.43.0'].flatMap((start) => [
  { address: addressOf(`${start}.1`), name: 'the API server' },
  { address: addressOf(`${start}.10`), name: 'DNS' },
]);

function addressOf(text: string): IpAddress {
  return parseIpAddress(text)!; // the texts stand above
}
