// Answers rename: what a program made of the pod's files of names must not take the place of this machine's, nor those be moved away.
import type { Call } from '../linux/notification.ts'
import { givenFileAt } from './given-path.ts'
import { give, leaveAlone, type Outcome, type World } from './world.ts'

const EROFS = 30

export type RenameName = 'rename' | 'renameat' | 'renameat2'

export function answerRename(call: Call, name: RenameName, world: World): Outcome {
  const paths =
    name === 'rename'
      ? [{ path: 0 }, { path: 1 }]
      : [
          { folder: 0, path: 1 },
          { folder: 2, path: 3 },
        ]
  const isGiven = paths.some(at => givenFileAt(call, at, world) !== undefined)
  return isGiven ? give(-EROFS) : leaveAlone('no file of names')
}
