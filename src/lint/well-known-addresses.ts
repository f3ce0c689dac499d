// Addresses that mean the same in many clusters: where clouds give out credentials, and where Services stand by default.
import { parseIpAddress, type IpAddress } from '../base/ip-address.ts';

/** Where a cloud's machines ask for their metadata, on TCP 80: AWS, Google, Azure and others; on IPv6, AWS (EC2 User Guide, "Instance metadata"). */
export const METADATA_ADDRESSES: readonly IpAddress[] = [addressOf('169.254.169.254'), addressOf('fd00:ec2::254')];

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
