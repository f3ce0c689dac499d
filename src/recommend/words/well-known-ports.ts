// The port that a name stands for where no number is written: of a URL's scheme, or of a product in the name of a variable.

// IANA Service Name and Transport Protocol Port Number Registry, and each product's own documentation where it is not listed there.
const PORTS: Readonly<Record<string, number>> = {
  http: 80, ws: 80, https: 443, wss: 443, ftp: 21, ssh: 22, sftp: 22, smtp: 25, smtps: 465, ldap: 389, ldaps: 636, imap: 143, imaps: 993,
  postgres: 5432, postgresql: 5432, pg: 5432, pgsql: 5432, mysql: 3306, mariadb: 3306, sqlserver: 1433, mssql: 1433, oracle: 1521,
  mongodb: 27017, mongo: 27017, redis: 6379, rediss: 6379, valkey: 6379, memcached: 11211, memcache: 11211, cassandra: 9042, neo4j: 7687, bolt: 7687,
  elasticsearch: 9200, opensearch: 9200, clickhouse: 9000, couchdb: 5984, influxdb: 8086, cockroachdb: 26257,
  amqp: 5672, amqps: 5671, rabbitmq: 5672, rabbit: 5672, kafka: 9092, nats: 4222, mqtt: 1883, mqtts: 8883, zookeeper: 2181, zk: 2181, etcd: 2379,
  zipkin: 9411, consul: 8500, vault: 8200, minio: 9000, statsd: 8125, graphite: 2003,
};

export function wellKnownPort(name: string): number | undefined {
  return Object.hasOwn(PORTS, name) ? PORTS[name] : undefined;
}

/**
 * The port of the product that a name of several words speaks of: `POSTGRES_HOST`, `discovery.seed_hosts`. Members of a
 * cluster who name each other use other ports than clients do, and which ones nobody says.
 */
export function productPort(words: readonly string[]): number | undefined {
  if (words.slice(-3).join(' ') === 'discovery seed hosts') return ELASTICSEARCH_TRANSPORT;
  if (words.some((word) => word === 'seeds' || word === 'seed' || word === 'peers')) return undefined;
  return words.map(wellKnownPort).find((known) => known !== undefined);
}

const ELASTICSEARCH_TRANSPORT = 9300;

/** Clients speak these over UDP. */
export function isUdpScheme(scheme: string | undefined): boolean {
  return scheme === 'udp' || scheme === 'statsd';
}
