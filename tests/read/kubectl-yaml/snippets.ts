// Texts of YAML on which parsers differ, each as a document of its own.

const WORDS = [
  ...'y Y yes Yes YES yEs true True tRue on On ON off n N no No NO null Null ~ .nan .inf -.inf +.inf .Inf NaN Inf inf nan'.split(' '),
  ...'010 080 08 0o10 0O10 0x10 0X1F 0b11 0B11 -0b11 0b-11 0b+1 -0b+1 1_000 1__0 _1 1_ 0x_1 0_8 1e3 1E3 8e1 80.0 80. .5 .5e3 ._5 .1_0 1_0.5'.split(' '),
  ...'1:30 1:30:30 2001-01-01 2001-01-01T00:00:00Z +1 -1 + -1.5 --1 1- 0 00 -0 -0.0 0.0 1e999 1e-999 1.10 1e21 1e6 999999.5 1000000.5'.split(' '),
  ...'9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809'.split(' '),
  ...'123456789.5 0.0001 0.00001 1.5e300 3.4e39 << = 0x 0b 1e 1.e3 1.2.3 . .. +.5 -.5 0x1p3 .1e 1_e3 12e03 0777 0888 0x1g'.split(' '),
  '', 'true ', '!!str 5', '!!int "5"', '!!int 5.5', '!!float 5', '!!null ""', '!!null foo', '!!bool yes', '!!bool "yes"', '!foo bar', '! 5', '! "5"',
  '!!binary aGVsbG8=', '!!binary a', '!!timestamp 2001-01-01', '!!map {a: 1}', '!!seq [1]', '!!foo x', '!<tag:yaml.org,2002:int> 5', "'y'", '"y"', '|\n  y', '>\n  y', '|-\n  1',
];

const DOCUMENTS = [
  'a: &x 1\nb: *x', 'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3', 'a: &x {b: 1, c: 2}\nd:\n  b: 3\n  <<: *x', 'x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y], c: 1}',
  'z: {<<: {q: 1}, <<: {q: 2, r: 3}}', 'z: {<<: 5}', 'z: {<<: [1]}', '? a\n: b\n? c', 'a:\n- b\n- c', 'a:\n  - b\n  -\n  - c: d\n    e: f', '- - a\n  - b\n- [c, d]',
  '"a": \'it\'\'s\'\n"b": "x\\ty\\u0041\\x42"', 'a: |\n  l1\n   l2\n\n  l3\nb: >\n  f\n  t\n\n  p', 'a: |2\n   x', 'a: >-\n  x\n  y', 'a: |+\n  x\n\nb: 1', '{a: 1, b: [1, 2], "c":3}', '{a:1}',
  '{"a":1}', '[a, b, ]', '[a b]', '{a, b: 2}', 'a:b', 'a: b: c', "a: 'x\n  y'", 'a: "x\n  y"', 'a: x\n  y', 'a: x\nb', '\ta: 1', 'a:\t1', 'a: 1\t# c', 'a: #c\n  1', 'a: b#c', 'a: b #c', '#only',
  'a: *no', 'a: &a [*a]', '&a a: 1\n*a : 2', 'a: @x', 'a: `x', 'a: %x', 'a: -b', 'a: - b', 'a: ?b', 'a: :b', 'a: b:c', '[a]: 1', '{a: 1}: 1', 'a: [1, 2', 'a: {b', 'a: ]', 'a: "x',
  'a: 1\n b: 2', 'a:\n b: 1\n  c: 2', 'a:\n  b: 1\n c: 2', 'true: 1\n"true": 2', '~: 1', '1.5: a\n1e3: b', 'a: "\\q"', "a: 'x'y", 'a: "x" y', '- a\nb: c', 'a: 1\na: 2', 'a: &x\nb: *x', 'a: &x\n  b: 1\nc: *x',
  'a: !!map\n  b: 1', 'a: &x !!str y', 'a: !!str &x y', '- ? a\n- ? b\n  : c', 'a: "a\\\n   b"', 'a: [a,\nb]', 'a: {b: 1,\nc: 2}', 'a: "b\nc"', "a: 'b\n\n  c'", "a: 'x\n\n\ny'", 'a: "x\n\ty"', 'a: [\n1\n]', 'a: [b: c]', 'a: [b: c, d: e]',
  'a: [? b : c]', 'a: [,]', 'a: {b: }', 'a: {b: , c: 1}', 'a: [b, , c]', '-a: 1', '{a: http://x.y:80/z}', '[a:b, c]', '{a: b:c}', '{"a":b}', '{"a" :b}', '["a":b]', 'a: "b":c', 'a: b,c', 'a: [b]c', 'a: |x\n  y', 'a: |\n x\ny',
  'a: |\n\n  x', 'a: |\n    x\n  y', 'a: >\n\n  x\n\n   y\n  z', 'a: |-\nb: 1', 'a:\n  |\n  x', 'a: !x {b: 1}', '! a: 1', 'a: &b\n  - c\nd: *b', 'a: &b\n- c\nd: *b', 'a: *', 'é: ü', 'a: 😀',
  'a: b\r\nc: d\r', 'a: b\rc: d', '\ufeffa: b', '# x\u2028b: 2', 'a: 1\u0085b: 2', 'a: \u00a0b', 'a: b\u0007', '# \u0007', 'a: \u007f', 'a:\n\tb: 1', 'a: |\n\tx', '{\n\t"a": 1\n}', 'a:\n  - b\n  c: d', 'a: x # c\n  y', 'a:\n    - b\n  - c',
];

export const SNIPPETS: readonly string[] = [
  ...WORDS.flatMap((word) => [word, `a: ${word}`, `${word}: a`, `- ${word}`, `{${word}: 1}`, `[${word}]`, `{a: ${word}}`, `? ${word}\n: b`]),
  ...DOCUMENTS,
];

/** Texts to cut and join at random. */
export const SEEDS: readonly string[] = [
  'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  podSelector:\n    matchLabels:\n      app: web\n  policyTypes: [\n    Ingress\n  ]\n  ingress:\n  - from:\n    - podSelector: {matchLabels: {"app": \'db\'}}\n    - ipBlock:\n        cidr: 10.0.0.0/8\n        except:\n        - 10.1.0.0/16\n    ports:\n      - protocol: TCP\n        port: 80\n        endPort: 090\n',
  'a: &x {b: 1, c: [d, "e f"]}\nq:\n  <<: *x\n  r: |\n    lit\n     more\n  s: >-\n    fold\n    ed\n',
  'k: "multi\n  line"\nl: \'it\'\'s\n  two\'\nm: plain\n  more\nn:\n- o\n- p: q\n-\n  - ? x\n    : y\n',
];

export const INSERTIONS: readonly string[] = [
  ' ', '  ', '\n', ':', ': ', '- ', '-', '#', ' #', '"', "'", '{', '}', '[', ']', ',', '&a ', '*a', '!', '!!str ', '|', '>', '? ', '\t', '%', '@', '`', '\\', '0', '1', 'y', '<<: ',
  '...', '\r\n', '~', '.', '_', 'e', '=', '\n\n', '\n  ', '\u0085',
];
