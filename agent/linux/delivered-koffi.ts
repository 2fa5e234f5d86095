// Stands in for the module "koffi" in a delivered agent: the native part that the agent placed, without the package around it.
import { loadKoffi, placedKoffi } from './place-koffi.ts'

// A thread that is made later has its own copy of the environment, and nothing else of the thread that placed it.
const koffi = placedKoffi() ?? loadKoffi(process.env.STANDIN_KOFFI ?? '')

// The module that it stands in for is imported by its default.
export { koffi as default }
