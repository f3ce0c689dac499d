// The vocabulary under everything: addresses, port sets, positions, findings; nothing here knows Kubernetes.
