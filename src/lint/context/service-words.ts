// Which words in a label tell that a pod opens a well-known port.

/** Port to the words of who listens on it, as people write them in labels. TCP. */
const SERVICE_WORDS: ReadonlyMap<number, readonly string[]> = new Map([
  [25, ['smtp', 'mail', 'postfix', 'mailer']],
  [53, ['dns', 'coredns', 'resolver', 'bind']],
  [389, ['ldap', 'openldap', 'directory']],
  [587, ['smtp', 'mail', 'postfix']],
  [636, ['ldap', 'ldaps', 'openldap', 'directory']],
  [1433, ['mssql', 'sqlserver', 'sql', 'db', 'database']],
  [1521, ['oracle', 'db', 'database']],
  [1883, ['mqtt', 'mosquitto', 'broker']],
  [2181, ['zookeeper', 'zk']],
  [2379, ['etcd']],
  [2380, ['etcd']],
  [3306, ['mysql', 'mariadb', 'percona', 'db', 'database', 'sql']],
  [4222, ['nats', 'broker', 'queue']],
  [5432, ['postgres', 'postgresql', 'pgsql', 'pg', 'pgbouncer', 'patroni', 'timescaledb', 'db', 'database', 'sql']],
  [5671, ['rabbitmq', 'rabbit', 'amqp', 'queue', 'mq', 'broker', 'messaging']],
  [5672, ['rabbitmq', 'rabbit', 'amqp', 'queue', 'mq', 'broker', 'messaging']],
  [6379, ['redis', 'valkey', 'keydb', 'dragonfly', 'cache', 'caching', 'session', 'sessions', 'db', 'database']],
  [6432, ['pgbouncer', 'postgres', 'postgresql', 'db', 'database']],
  [7000, ['cassandra', 'scylla', 'db', 'database']],
  [8086, ['influxdb', 'influx', 'db', 'database']],
  [8123, ['clickhouse', 'db', 'database']],
  [8200, ['vault', 'openbao']],
  [8500, ['consul']],
  [9042, ['cassandra', 'scylla', 'scylladb', 'db', 'database']],
  [9092, ['kafka', 'redpanda', 'broker', 'queue', 'mq', 'messaging', 'events']],
  [9093, ['kafka', 'redpanda', 'broker', 'alertmanager']],
  [9200, ['elasticsearch', 'elastic', 'opensearch', 'es', 'search', 'logging']],
  [9300, ['elasticsearch', 'elastic', 'opensearch', 'es', 'search']],
  [11211, ['memcached', 'memcache', 'cache', 'caching']],
  [26257, ['cockroachdb', 'cockroach', 'db', 'database']],
  [26379, ['redis', 'sentinel', 'valkey', 'cache']],
  [27017, ['mongo', 'mongodb', 'documentdb', 'db', 'database']],
  [27018, ['mongo', 'mongodb', 'db', 'database']],
]);

export function wordsOfPort(port: number): readonly string[] {
  return SERVICE_WORDS.get(port) ?? [];
}

/** The words of a name such as `orders-db` or `ordersDb`: a number behind a word is no part of it. */
export function wordsOfName(name: string): string[] {
  return name
    .slice(0, NAME_LENGTH_MAX)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');
}

const NAME_LENGTH_MAX = 253;
