import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { RunningSystem } from '#test/system/running-system.ts'

/** Signal 0 only asks whether a process is there. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('it starts in an empty folder, survives the death of each of its processes, and leaves nothing behind', async () => {
  await using system = await RunningSystem.start()
  assert.match(await system.line(/extension 100/), /user \S+, password \S{12,}/)
  for (const name of ['server', 'engine-0', 'demo-carrier']) {
    const pid = await system.pidOf(name)
    const from = system.lines.length
    process.kill(pid, 'SIGKILL')
    await system.line(new RegExp(`serves again +process=${name} `), from)
    assert.notEqual(await system.pidOf(name), pid)
  }
  const { pid, processes } = await system.status()
  assert.equal(await system.stop(), 0)
  assert.deepEqual([pid, ...processes.map((each) => each.pid ?? 0)].filter(isAlive), [])
})

test('a second start with the same data says who is there, and touches nothing', async () => {
  await using system = await RunningSystem.start()
  const { pid } = await system.status()
  const second = RunningSystem.start({ CENTRALA_DATA_FOLDER: system.settings.folders.data })
  await assert.rejects(second, new RegExp(`Centrala runs already with the data in .* \\(process ${pid}\\)`))
  assert.equal((await system.status()).pid, pid)
})

test('a taken port stops the start with a sentence that names the port and its setting', async () => {
  using scope = new DisposableStack()
  const squatter = scope.adopt(createSocket('udp4').bind(0, '127.0.0.1'), (socket) => socket.close())
  await once(squatter, 'listening')
  const { port } = squatter.address()
  const start = RunningSystem.start({ CENTRALA_SIP_PORT: String(port) })
  await assert.rejects(start, new RegExp(`ended with code 78 [^]*${port}.*CENTRALA_SIP_PORT`))
})

test('the death of the keeper takes everything with it: the next start has the same ports', async () => {
  await using system = await RunningSystem.start()
  process.kill((await system.status()).pid, 'SIGKILL')
  await system.exited
  await using next = await RunningSystem.start(system.environment)
  assert.ok(next.lines.some((line) => line.startsWith('Centrala serves')))
})
