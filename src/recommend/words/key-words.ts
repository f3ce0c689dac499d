// What the name of a variable, an option or a field says of its value: an address to connect to, a port, an own name, a secret.

/** Lower case, cut at signs and at humps: `DB_HOST`, `dbHost`, `--db-host` and `db.host` are the same. `-h` and `-p` are what clients of databases take them for. */
export function wordsOf(key: string): readonly string[] {
  if (/^-[hp]$/i.test(key)) return [key.toLowerCase() === '-h' ? 'host' : 'port'];
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

const ADDRESS_WORDS: ReadonlySet<string> = new Set([
  'host', 'hosts', 'hostname', 'hostnames', 'addr', 'addrs', 'address', 'addresses', 'server', 'servers', 'endpoint', 'endpoints', 'url', 'urls', 'uri', 'uris',
  'broker', 'brokers', 'bootstrap', 'upstream', 'upstreams', 'backend', 'target', 'targets', 'dsn', 'connection', 'connect', 'connects', 'sentinel', 'sentinels', 'seeds', 'seed',
  'peers', 'join', 'voters', 'quorum', 'points', 'replicaof', 'slaveof', 'collector', 'service', 'svc', 'proxy', 'pass',
]);

/** Words that end the name of a host, so that what stands before them also names its port. */
const HOST_ENDINGS: ReadonlySet<string> = new Set(['host', 'hosts', 'hostname', 'addr', 'address', 'server', 'servers', 'endpoint', 'url', 'uri']);

const PORT_ENDINGS: readonly (readonly string[])[] = [['port'], ['port', 'number'], ['port', 'value']];

/** The value is an address that somebody connects to, or the text gives no other reason to name one. */
export function namesAddress(words: readonly string[]): boolean {
  return words.some((word) => ADDRESS_WORDS.has(word)) && !namesOwn(words);
}

// Where it listens, what it calls itself, whom it does not ask: none of it opens a connection.
const OWN_WORDS: ReadonlySet<string> = new Set([
  'listen', 'listener', 'listeners', 'bind', 'advertise', 'advertised', 'allowed', 'allow', 'origin', 'origins', 'cors', 'redirect', 'callback',
  'cookie', 'image', 'registry', 'repository', 'exclude', 'excludes', 'schema', 'xmlns', 'namespace', 'audience', 'account', 'domain', 'domains',
]);
const OWN_ENDINGS: readonly string[] = ['no proxy', 'server names', 'root url', 'external url', 'public url', 'external hostname', 'external host', 'public host', 'public hostname'];
const OWN_NAMES: ReadonlySet<string> = new Set(['hostname', 'host name']);

export function namesOwn(words: readonly string[]): boolean {
  const isName = words.at(-1) === 'name' && words.at(-2) !== 'host';
  return isName || words.some((word) => OWN_WORDS.has(word)) || OWN_NAMES.has(words.join(' ')) || OWN_ENDINGS.includes(words.slice(-2).join(' '));
}

const SECRET_WORDS: ReadonlySet<string> = new Set(['password', 'passwd', 'pwd', 'secret', 'token', 'credential', 'credentials', 'apikey', 'key', 'private', 'passphrase', 'salt']);

/** A value that is no address and that nobody here reads. */
export function namesSecret(words: readonly string[]): boolean {
  const last = words.at(-1);
  return words.some((word) => SECRET_WORDS.has(word)) && (last === undefined || !ADDRESS_WORDS.has(last));
}

/** Whether a Secret's key may hold an address. */
export function maySecretlyNameAddress(words: readonly string[]): boolean {
  const last = words.at(-1);
  return last !== undefined && ADDRESS_WORDS.has(last) && !namesOwn(words);
}

/** What a host's name and its port's name have in common; undefined: it is no name of a host. */
export function hostStem(words: readonly string[]): string | undefined {
  const last = words.at(-1);
  return last !== undefined && HOST_ENDINGS.has(last) ? words.slice(0, -1).join(' ') : undefined;
}

/** undefined: it is no name of a port. */
export function portStem(words: readonly string[]): string | undefined {
  const ending = PORT_ENDINGS.find((end) => end.every((word, index) => words.at(index - end.length) === word));
  return ending === undefined ? undefined : words.slice(0, -ending.length).join(' ');
}
