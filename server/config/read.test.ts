import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments, readValues } from '#server/config/read.ts'

/** Problems of one file as `line:column rule message`. */
function problemsOf(text: string): string[] {
  return readDocuments([{ name: 'a.yaml', text }]).problems.map(
    ({ line, column, rule, message }) => `${line}:${column} ${rule}: ${message}`,
  )
}
const device = 'kind: device\nid: desk\nusername: anna\n'

test('one file can hold several documents, in their order', () => {
  const { documents, problems } = readDocuments([
    { name: 'a.yaml', text: `${device}---\nkind: person\nid: anna\nname: Anna\n---\n# nothing\n` },
  ])
  assert.deepEqual(problems, [])
  assert.deepEqual(documents, [
    { kind: 'device', id: 'desk', username: 'anna' },
    { kind: 'person', id: 'anna', name: 'Anna' },
  ])
})

test('unquoted numbers are text where text is expected: plus, leading zeros and colons stay', () => {
  const text = 'kind: number\nid: 0100\nnumber: +74950000100\ntarget: { flow: 7 }\nname: 1e3\n'
  assert.deepEqual(readDocuments([{ name: 'a', text }]).documents, [
    { kind: 'number', id: '0100', number: '+74950000100', target: { flow: '7' }, name: '1e3' },
  ])
})

test('JSON is read as well', () => {
  assert.deepEqual(readDocuments([{ name: 'a.json', text: '{"kind":"person","id":"anna","name":"Anna"}' }]).documents, [
    { kind: 'person', id: 'anna', name: 'Anna' },
  ])
})

const table: readonly (readonly [what: string, text: string, problem: string])[] = [
  ['an unknown field', `${device}pasword: x\n`, '4:1 unknown-field: no field pasword here; did you mean password?'],
  ['a missing field', 'kind: person\nid: anna\n', '1:1 missing-field: name is missing'],
  ['an unknown kind', 'id: x\nkind: telephone\n', '2:7 unknown-kind: no kind telephone'],
  ['no kind', 'id: x\n', '1:1 unknown-kind: expected a document with its kind'],
  ['a bare word', 'hello\n', '1:1 unknown-kind: expected a document with its kind'],
  ['a wrong id', 'kind: person\nid: Anna B\nname: Anna\n', '2:5 wrong-value: expected an id: 1 to 40 of a-z, 0-9 and -, found "Anna B"'],
  ['an empty field', 'kind: person\nid: anna\nname:\n', '3:6 wrong-value: expected a name of 1 to 80 characters, found nothing'],
  ['a number out of range', `${device}maxContacts: 21\n`, '4:14 wrong-value: expected a whole number, 1 to 20, found 21'],
  ['text for a number', `${device}maxContacts: many\n`, '4:14 wrong-value: expected a whole number, 1 to 20, found "many"'],
  ['a fraction', `${device}maxContacts: 1.5\n`, '4:14 wrong-value: expected a whole number, 1 to 20, found 1.5'],
  ['a wrong choice', `${device}codecs: [PCMA, G729]\n`, '4:16 wrong-value: expected one of PCMA, PCMU, G722, opus, found "G729"'],
  ['a repeated entry', `${device}codecs: [PCMA, PCMA]\n`, '4:9 wrong-value: expected each entry once, found a list of 2'],
  ['a repeated field', `${device}username: oleg\n`, '4:1 doubled-field: username is there twice'],
  [
    'no target at all',
    'kind: extension\nid: a\nnumber: 100\ntarget: {}\n',
    '4:9 wrong-value: expected exactly one of person, device, ringGroup, external, flow, conference, found no fields',
  ],
  ['two targets', 'kind: extension\nid: a\nnumber: 100\ntarget: { person: a, flow: b }\n', '4:22 unknown-field: no field flow here'],
  [
    'a time that is none',
    'kind: hours\nid: a\nweekly:\n  - { days: [mon], from: 9:00, to: 18:00 }\n',
    '4:26 wrong-value: expected a time of day from 00:00 to 23:59, found "9:00"',
  ],
  [
    'an unknown node type',
    'kind: flow\nid: a\nstart: b\nnodes:\n  b: { type: dance }\n',
    '5:6 wrong-value: expected type: one of play, menu, hours, caller, ring, external, record, goto, hangup, found fields type',
  ],
  [
    'a key that no telephone has',
    'kind: flow\nid: a\nstart: b\nnodes:\n  b:\n    type: menu\n    prompts: [p]\n    keys: { A: b }\n',
    '8:13 unknown-field: no field A here',
  ],
  [
    'a path that climbs out',
    'kind: prompt\nid: a\nfile: ../../etc/passwd\n',
    '3:7 wrong-value: expected the path of a sound file, such as prompts/welcome.wav, without .. or a leading /, found "../../etc/passwd"',
  ],
  [
    'bad YAML',
    'kind: person\nid: [anna\n',
    '3:1 bad-yaml: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  ['a tab', 'kind: person\n\tid: anna\n', '2:1 bad-yaml: Tabs are not allowed as indentation'],
  ['a custom tag', 'kind: person\nid: !!js/function x\nname: Anna\n', '2:5 bad-yaml: Unresolved tag: tag:yaml.org,2002:js/function'],
  ['an alias to nothing', 'kind: person\nid: *anna\n', '2:5 bad-yaml: *anna stands for nothing'],
]
for (const [what, text, problem] of table) {
  test(`${what} is told with its place`, () => assert.ok(problemsOf(text).includes(problem), problemsOf(text).join('\n')))
}

test('each mistake of a document is told, and documents without mistakes are read all the same', () => {
  const text = `kind: device\nid: A\nusername: ''\nport: 1\n---\n${device}`
  const { documents, problems } = readDocuments([{ name: 'a.yaml', text }])
  assert.equal(documents.length, 1)
  assert.deepEqual(
    problems.map(({ pointer, line }) => [pointer, line]),
    [
      ['/id', 2],
      ['/username', 3],
      ['/port', 4],
    ],
  )
})

test('a refused password is not repeated in the message', () => {
  const [problem] = readDocuments([{ name: 'a', text: `${device}password: [hunter2]\n` }]).problems
  assert.equal(problem?.pointer, '/password')
  assert.ok(!JSON.stringify(problem).includes('hunter2'))
})

test('fields written in an anchor are read through its alias, within bounds', () => {
  const { documents } = readDocuments([
    { name: 'a', text: 'kind: hours\nid: a\nweekly:\n  - &week { days: [mon], from: 09:00, to: 12:00 }\n  - *week\n' },
  ])
  assert.equal(documents[0]?.kind === 'hours' && documents[0].weekly.length, 2)
})

test('an alias bomb is refused in bounded time', () => {
  const levels = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)
  const text = `kind: person\nid: anna\na0: &a0 [x]\n${levels.join('\n')}\n`
  assert.match(problemsOf(text).join(), /^[0-9]+:[0-9]+ too-large: more than 200000 values in one document, counting what aliases repeat$/)
})

test('an alias that stands for what surrounds it is refused', () => {
  assert.match(problemsOf('kind: person\nid: a\nname: &a [*a]\n').join(), /too-deep|too-large|stands for nothing/)
})

test('text nested without end is refused', () => {
  for (const text of ['[', '{a: ', '- ', '? ']) assert.match(problemsOf(text.repeat(100_000)).join(), /^1:[0-9]+ too-deep: /)
  assert.match(problemsOf(`kind: person\nid: ${'['.repeat(60)}${']'.repeat(60)}\n`).join(), /too-deep/)
})

test('a document of too many words is refused before it is parsed, and others of the file are read', () => {
  const text = `kind: person\nid: a\nname: A\n---\n${'a: 1\n'.repeat(60_000)}---\nkind: person\nid: b\nname: B\n`
  const { documents, problems } = readDocuments([{ name: 'a', text }])
  assert.deepEqual(
    problems.map(({ rule, line }) => [rule, (line ?? 0) > 4]),
    [['too-large', true]],
  )
  assert.deepEqual(
    documents.map(({ id }) => id),
    ['a', 'b'],
  )
})

test('long flow collections on one line are not nested, and places count over all documents of a file', () => {
  const numbers = Array.from({ length: 400 }, (_, i) => `+3712${String(i).padStart(7, '0')}`)
  const list = `{ kind: caller-list, id: vip, numbers: [${numbers.join(', ')}] }\n`
  const { documents, problems } = readDocuments([{ name: 'a', text: `${list}---\r\n\r\nkind: person\r\nid: anna\r\n` }])
  assert.equal(documents.length, 1)
  assert.deepEqual(
    problems.map(({ line, column, rule }) => [line, column, rule]),
    [[4, 1, 'missing-field']],
  )
})

test('names of the prototype are fields like others', () => {
  const { documents, problems } = readValues([
    JSON.parse('{"kind":"person","id":"a","name":"A","__proto__":{"x":1}}'),
    { kind: 'constructor', id: 'a' },
  ])
  assert.deepEqual(documents, [])
  assert.deepEqual(
    problems.map(({ rule, pointer }) => [rule, pointer]),
    [
      ['unknown-field', '/__proto__'],
      ['unknown-kind', undefined],
    ],
  )
})

test('more problems than anybody reads are cut off', () => {
  const fields = Array.from({ length: 2000 }, (_, i) => `x${i}: 1`).join('\n')
  assert.equal(problemsOf(`kind: person\nid: a\nname: A\n${fields}\n`).length, 500)
})
