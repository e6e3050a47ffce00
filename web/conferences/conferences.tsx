import { useState } from 'react'
import type { Answer, Api } from '#web/access/api.ts'
import { refusalWords } from '#web/access/refusal-words.ts'
import type { Conference } from '#web/calls/reducer.ts'
import { CallForm } from '#web/devices/call-form.tsx'
import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'

interface ConferencesProps {
  conferences: readonly Conference[]
  api: Api
  mayAct: boolean
}

/** The rooms of the company and who is in them; whoever may can mute, let go, lock and call somebody in. */
export function Conferences({ conferences, api, mayAct }: ConferencesProps) {
  const { page } = useReader().words
  if (conferences.length === 0) return null
  return (
    <section aria-labelledby="conferences">
      <h2 id="conferences">{page.conferences}</h2>
      <ul className="rows">
        {conferences.map((conference) => (
          <li key={conference.id}>
            <Room conference={conference} api={api} mayAct={mayAct} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Room({ conference, api, mayAct }: { conference: Conference; api: Api; mayAct: boolean }) {
  const { words } = useReader()
  const { page } = words
  const { id, name, number, locked, members } = conference
  const [isInviting, setInviting] = useState(false)
  const asking = useAsking()
  const inviteButton = `invite-${id}`
  return (
    <section className="room" aria-label={name}>
      <div className="line">
        <span className="line-name">
          {number !== null && <strong>{number} </strong>}
          {name} <span className="count">{members.length}</span>
          {locked && (
            <span className="state room-locked">
              <Icon name="lock" /> {page.isLocked}
            </span>
          )}
          {members.length === 0 && <span className="state muted">{page.noMembers}</span>}
        </span>
        {mayAct && (
          <span className="room-actions">
            {members.length > 0 && (
              <button type="button" disabled={asking.isAsking} onClick={() => asking.ask(() => api.lock(id, !locked))}>
                <Icon name={locked ? 'unlock' : 'lock'} /> {locked ? page.unlock : page.lock}
              </button>
            )}
            <button type="button" id={inviteButton} aria-expanded={isInviting} onClick={() => setInviting(!isInviting)}>
              <Icon name="call" /> {page.invite}
            </button>
          </span>
        )}
      </div>
      <Problem of={asking} />
      {isInviting && (
        <CallForm
          label={page.inviteTo(name)}
          place={(to, once) => api.invite(id, to, once)}
          onCancel={() => {
            setInviting(false)
            document.getElementById(inviteButton)?.focus()
          }}
          onPlaced={() => setInviting(false)}
        />
      )}
      {members.length > 0 && (
        <ul className="members">
          {members.map((member) => (
            <Member key={member.call} conference={id} member={member} api={api} mayAct={mayAct} />
          ))}
        </ul>
      )}
    </section>
  )
}

interface MemberProps {
  conference: string
  member: Conference['members'][number]
  api: Api
  mayAct: boolean
}

function Member({ conference, member, api, mayAct }: MemberProps) {
  const { page } = useReader().words
  const { leg, number, name, moderator, muted } = member
  const asking = useAsking()
  const who = name ?? (number === '' ? page.unknownCaller : number)
  return (
    <li>
      <div className="member">
        <span className="line-name">
          {number !== '' && <strong>{number} </strong>}
          {name ?? (number === '' ? page.unknownCaller : '')}
          <span className={`state ${muted ? 'member-muted' : 'member-speaks'}`}>
            <Icon name={muted ? 'muted' : 'microphone'} /> {muted ? page.isMuted : page.maySpeak}
            {moderator && ` · ${page.moderator}`}
          </span>
        </span>
        {mayAct && (
          <span className="room-actions">
            <button
              type="button"
              aria-label={muted ? page.unmuteWhom(who) : page.muteWhom(who)}
              disabled={asking.isAsking}
              onClick={() => asking.ask(() => api.mute(conference, leg, !muted))}
            >
              {muted ? page.unmute : page.mute}
            </button>
            <button
              type="button"
              aria-label={page.removeWhom(who)}
              disabled={asking.isAsking}
              onClick={() => asking.ask(() => api.letGo(conference, leg))}
            >
              {page.remove}
            </button>
          </span>
        )}
      </div>
      <Problem of={asking} />
    </li>
  )
}

interface Asking {
  isAsking: boolean
  problem: string | null
  ask: (what: () => Promise<Answer<unknown>>) => void
}

/** One request at a time; what came of it is shown by the stream, and why it was refused here. */
function useAsking(): Asking {
  const { words } = useReader()
  const [state, setState] = useState<'idle' | 'asking' | { problem: string }>('idle')
  const run = async (what: () => Promise<Answer<unknown>>): Promise<void> => {
    setState('asking')
    const answer = await what()
    setState(answer.kind === 'ok' ? 'idle' : { problem: refusalWords(answer, words) })
  }
  return {
    isAsking: state === 'asking',
    problem: typeof state === 'object' ? state.problem : null,
    ask: (what) => void run(what),
  }
}

function Problem({ of: { problem } }: { of: Asking }) {
  if (problem === null) return null
  return (
    <p className="problem room-problem" role="alert">
      {problem}
    </p>
  )
}
