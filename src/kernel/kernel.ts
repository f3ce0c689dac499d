// Everything that touches Linux: policy in nftables, namespaces, links, probes; each behind a contract, with a fake where one can decide as the kernel does.
