/** What the wrapper `claude` passes on to the program. */
export interface Launch {
  /** The folder of orders. */
  orders: string | undefined
  /** The path under which `claude` was started. */
  path: string | undefined
}

/** Takes it out of the environment, so that no child of claude sees it. */
export function takeLaunch(env = process.env): Launch {
  const { FAKE_CLAUDE_ORDERS, FAKE_CLAUDE_PATH } = env
  delete env.FAKE_CLAUDE_ORDERS
  delete env.FAKE_CLAUDE_PATH
  return { orders: FAKE_CLAUDE_ORDERS || undefined, path: FAKE_CLAUDE_PATH || undefined }
}
