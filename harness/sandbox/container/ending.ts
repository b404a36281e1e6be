import { setTimeout as delay } from 'node:timers/promises'
import type { Container } from 'dockerode'
import { longestSilence } from './heartbeat.ts'

/** Exit codes of the container's main process, hold.sh. */
const endings: Record<number, string> = {
  75: `its container received no heartbeat of the rig for ${longestSilence} s (were the rig or the engine stopped? run again)`,
  124: 'its container reached its time limit (run fewer scenarios at once)',
}

/**
 * Starts to wait for a running container's end: later the engine has removed it and only reports that. The returned
 * function says why the exec stream has closed. The stream closes a moment before the engine reports the end, so the
 * engine gets ten seconds.
 */
export function watchEnding(container: Container): () => Promise<string> {
  // When the engine is killed, this never resolves.
  const ended = container.wait().then(reasonOf, () => new Promise<never>(() => {}))
  const removed = () => Promise.race([ended, delay(1_000, 'its container was removed', { ref: false })])
  const ask = () =>
    container.wait().then(reasonOf, ({ statusCode }) => (statusCode === 404 ? removed() : engineStopped))
  return () => Promise.race([ask(), delay(10_000, 'its probe ended', { ref: false })])
}

export const engineStopped =
  'the container engine stopped answering while its container ran (start the engine and run again)'

/** Matches the error of whatever was under way on an engine that has stopped. */
export const onStoppedEngine = /the container engine stopped answering while its container ran/

const reasonOf = ({ StatusCode }: { StatusCode: number }): string =>
  endings[StatusCode] ?? `its container ended with exit code ${StatusCode}`
