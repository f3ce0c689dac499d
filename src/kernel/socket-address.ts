// Addresses as the bytes that the kernel takes: network order, and `struct sockaddr_in` or `sockaddr_in6` around them.
import type { IpAddress } from '../base/ip-address.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;

export function addressFamily(address: IpAddress): number {
  return address.family === 4 ? AF_INET : AF_INET6;
}

/** 4 or 16 bytes, most significant first. */
export function addressBytes(address: IpAddress): Buffer {
  const bytes = Buffer.alloc(address.family === 4 ? 4 : 16);
  if (address.family === 4) {
    bytes.writeUInt32BE(Number(address.value));
  } else {
    bytes.writeBigUInt64BE(address.value >> 64n, 0);
    bytes.writeBigUInt64BE(address.value & 0xffffffffffffffffn, 8);
  }
  return bytes;
}

export function socketAddress(address: IpAddress, port: number): Buffer {
  const bytes = Buffer.alloc(address.family === 4 ? 16 : 28);
  bytes.writeUInt16LE(addressFamily(address), 0);
  bytes.writeUInt16BE(port, 2);
  addressBytes(address).copy(bytes, address.family === 4 ? 4 : 8);
  return bytes;
}
