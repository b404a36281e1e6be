import { join } from 'node:path'
import type { Places } from '../session/places.ts'

/** The environment of every child of claude. It inherits TMUX and TMUX_PANE with the rest. */
export function childEnvironment(sessionId: string, places: Places): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CLAUDECODE: '1',
    CLAUDE_CODE_ENTRYPOINT: 'sdk-cli',
    CLAUDE_CODE_SESSION_ID: sessionId,
    CLAUDE_CODE_MESSAGING_SOCKET: places.socket,
    AI_AGENT: 'claude-code',
  }
}

export function hookEnvironment(sessionId: string, places: Places): NodeJS.ProcessEnv {
  return {
    ...childEnvironment(sessionId, places),
    CLAUDE_PID: String(process.pid),
    CLAUDE_PROJECT_DIR: process.cwd(),
    CLAUDE_ENV_FILE: join(places.temporary, 'env'),
  }
}

export function bashEnvironment(sessionId: string, places: Places): NodeJS.ProcessEnv {
  return {
    ...childEnvironment(sessionId, places),
    CLAUDE_PID: String(process.pid),
    CLAUDE_CODE_CHILD_SESSION: '1',
    GIT_EDITOR: 'true',
  }
}
