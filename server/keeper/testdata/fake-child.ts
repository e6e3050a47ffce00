// A child of the keeper for its tests: `obedient` ends when asked, `draining` when asked twice, `deaf` never, `refusing` cannot work.
import { onEndRequest, refuseToWork, standBy, tellReady } from '#server/keeper/child.ts'
import { standbyFlag } from '#server/keeper/messages.ts'

const manner = process.argv[2]
if (manner === 'refusing') {
  refuseToWork('port 5060 is taken')
} else {
  if (process.argv.includes(standbyFlag)) await standBy()
  const alive = setInterval(() => undefined, 60_000)
  const requests = onEndRequest((request) => {
    process.stdout.write(`asked:${request}\n`)
    if (manner === 'deaf') return
    if (manner === 'draining' && request === 'drain') return
    clearInterval(alive)
    requests[Symbol.dispose]()
  })
  tellReady({
    page: 'http://localhost',
    signIn: null,
    company: 'Acme',
    number: null,
    extensions: [],
    domain: 'acme',
    listening: [],
    hints: [],
  })
}
