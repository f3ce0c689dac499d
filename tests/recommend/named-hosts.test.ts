// Holds the ways in which people write addresses against the hosts that are found in them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHosts } from '../../src/recommend/words/named-hosts.ts';

/** `host`, `host:port`, `scheme://host:port`; a word that may be one in brackets. */
function check(wanted: readonly string[], text: string): void {
  test(`${JSON.stringify(text)} names ${wanted.length === 0 ? 'nobody' : wanted.join(' ')}`, () => {
    const found = findHosts(text).hosts.map(({ host, ports, scheme, form }) => {
      const name = [scheme === undefined ? '' : `${scheme}://`, [host, ...ports].join(':')].join('');
      return form === 'alone' ? `[${name}]` : name;
    });
    assert.deepEqual(found, wanted);
  });
}

check(['db:5432'], 'db:5432');
check(['db.data.svc.cluster.local:5432'], 'DB.data.svc.cluster.local.:5432');
check(['[zipkin.jaeger.svc.cluster.local]'], 'zipkin.jaeger.svc.cluster.local');
check(['[db]'], 'db');
check(['[db]', '[cache]'], 'db, cache');
check(['fd00::1:80'], '[fd00::1]:80');
check(['10.0.0.7:80'], '10.0.0.7:80');

// URLs (RFC 3986), with whatever stands before the host.
check(['https://api.stripe.com'], 'https://api.stripe.com/v1?a=b:80');
check(['postgres://db.data:5432'], 'postgres://user:p@ss@db.data:5432/shop?x=1');
check(['postgresql://pg:5432'], 'postgresql+asyncpg://u:p@pg:5432/x');
check(['mongodb://a', 'mongodb://b:27018'], 'mongodb://a,b:27018/db?replicaSet=r');
check(['redis://s1:26379', 'redis://s2:26379'], 'redis-sentinel://s1:26379,s2:26379#master');
check(['amqp://rabbitmq:5672'], 'amqp://u:p@rabbitmq:5672/%2f');
check(['http://a:1', 'http://b:2'], 'http://a:1/x,http://b:2/y');
check(['http://etcd-0.etcd:2380', 'http://etcd-1.etcd:2380'], 'etcd-0=http://etcd-0.etcd:2380,etcd-1=http://etcd-1.etcd:2380');
check(['http://::1:8080'], 'http://[::1]:8080/');

// Drivers: JDBC, Go, ADO, libpq.
check(['mysql://h1:3306', 'mysql://h2'], 'jdbc:mysql://h1:3306,h2/db');
check(['sqlserver://sql:1433'], 'jdbc:sqlserver://sql:1433;databaseName=x');
check(['oracle://ora:1521'], 'jdbc:oracle:thin:@//ora:1521/x');
check(['oracle://ora:1521'], 'jdbc:oracle:thin:@ora:1521:sid');
check(['db:3306'], 'user:pw@tcp(db:3306)/name?parseTime=true');
check(['db:1433'], 'Server=db,1433;Database=x;User=u');
check(['pg:5432'], 'Host=pg;Port=5432;Username=x');
check(['db:5432'], 'host=db port=5432 user=u dbname=x');
check(['redis:6379'], 'redis:6379,password=abc,ssl=False');

// Lists of members (Kafka, Zookeeper).
check(['kafka-0.kafka:9093', 'kafka-1.kafka:9093'], '0@kafka-0.kafka:9093,1@kafka-1.kafka:9093');
check(['zoo-0.zoo:2888:3888', 'zoo-1.zoo:2888:3888'], 'zoo-0.zoo:2888:3888::1 zoo-1.zoo:2888:3888::2');

check(['zookeeper:2181'], 'zookeeper:2181/kafka');
check(['redis:6379'], 'redis:6379/0');

// What only looks like one.
check([], '10:30');
check([], 'busybox:1.38.0@sha256:abc');
check([], '-Xms64m -Djava.security.egd=file:/dev/urandom -Dspring.zipkin.enabled=false');
check([], 'db:70000');

test('a host that comes from elsewhere is said to be', () => {
  assert.deepEqual(findHosts('http://${HOST}:8080/x'), { hosts: [], unreadable: ['${HOST}:8080'] });
});
