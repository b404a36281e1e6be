/** One line of the log: an event's name and its facts. Events come before what they announce. */
export interface LogLine {
  event: string
  [fact: string]: unknown
}
export type Log = (line: LogLine) => void
