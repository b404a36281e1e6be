import { z } from 'zod'
import { OUTER_INSTANCE } from './authority.ts'

/*
 * The inputs of the tools. Ids are checked where paths are built from them (cleanup's validateRef). Here every input gets
 * a limit, because all of them end up in registries, logs and terminals.
 */

/** The longest id, in characters. */
const ID_LENGTH = 128
const taskId = z.string().max(ID_LENGTH)
const ids = { task_id: taskId, agent_id: z.string().max(ID_LENGTH) }

/** One line without control characters, for tables. Not a JSON-schema pattern: clients' dialects differ. */
const word = z
  .string()
  .min(1)
  .max(64)
  .refine(value => /^\P{C}*$/u.test(value), 'expected printable characters')

/** Free text; the limit is in characters. */
const text = z.string().max(1 << 16)

/**
 * The prompt becomes one argument of claude, after the lines that name its agent. The kernel allows 128 KiB for one
 * argument (MAX_ARG_STRLEN), and a longer one would make the start fail.
 */
const PROMPT_BYTES = 128_000

/** The id adds 14 characters: the time of day and six digits. */
const agentType = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/, 'expected 1 to 100 letters, digits, "_" or "-", no leading "-"')

const agentName = z
  .string()
  .max(2 * ID_LENGTH + 1)
  .regex(/^\w[\w-]*(\/\w[\w-]*)?$/, 'expected the id of an agent, or its task and id as task/id')

/** JSON.stringify overflows the stack at some thousands of levels. */
const DATA_LEVELS = 20
const DATA_LENGTH = 1 << 20

const data = z
  .record(z.string(), z.unknown())
  .refine(value => isShallow(value, DATA_LEVELS), `expected at most ${DATA_LEVELS} levels`)
  .refine(
    value => !isShallow(value, DATA_LEVELS) || JSON.stringify(value).length <= DATA_LENGTH,
    `expected at most ${DATA_LENGTH} characters of JSON`,
  )

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every(part => isShallow(part, levels - 1))
}

/** The most lines of a log that one call may request. */
const MOST_LINES = 10_000

export const inputs = {
  create_real_task: z.object({ description: text, priority: word.default('P2') }),
  deploy_headless_agent: z.object({
    task_id: taskId,
    agent_type: agentType,
    prompt: z
      .string()
      .refine(prompt => Buffer.byteLength(prompt) <= PROMPT_BYTES, `expected at most ${PROMPT_BYTES} bytes`)
      .refine(prompt => !prompt.includes('\0'), 'expected no NUL, which no argument can hold')
      .refine(prompt => prompt.isWellFormed(), 'expected well-formed Unicode'),
    parent: agentName.default(OUTER_INSTANCE),
  }),
  kill_real_agent: z.object({ ...ids, reason: text.default('Manual termination') }),
  update_agent_progress: z.object({
    ...ids,
    status: word,
    message: text,
    progress: z.number().min(0).max(100).default(0),
  }),
  report_agent_finding: z.object({
    ...ids,
    finding_type: word,
    severity: word,
    message: text,
    data: data.default({}),
  }),
  get_agent_output: z.object({ ...ids, lines: z.number().int().positive().max(MOST_LINES).default(50) }),
  get_real_task_status: z.object({ task_id: taskId }),
}
