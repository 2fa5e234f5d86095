// From options that say which cluster, target and agent to the keys of the configuration; pure.
import { isAbsolute, resolve } from 'node:path'
import { count } from '../../protocol/codec.ts'
import type { AgentConfig, SessionConfig } from '../../protocol/config.ts'
import { Failure } from '../../protocol/errors.ts'

/** As commander hands them over; a variable that is set to nothing counts as not set. */
export type ClusterOptions = { context?: string; kubeconfig?: string }
export type QuestionOptions = ClusterOptions & { configFile?: string }
export type PlaceOptions = QuestionOptions & { namespace?: string; targetNamespace?: string }
export type SessionOptions = PlaceOptions & {
  target?: string
  agentImage?: string
  agentNamespace?: string
  agentStartupTimeout?: string
  ephemeral?: boolean
  ephemeralContainer?: boolean
}

/** Keys that were given alone, so that those of the file stay in force. */
export function placeConfig(options: SessionOptions, folder: string): SessionConfig {
  const namespace = options.namespace || options.targetNamespace
  const { context, kubeconfig } = clusterParams(options, folder)
  const agent = agentConfig(options)
  return {
    ...(namespace ? { target: { namespace } } : {}),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { kube_context: context }),
    ...(Object.keys(agent).length === 0 ? {} : { agent }),
  }
}

/** What every request that asks a cluster takes: the server looks into the configuration of the folder for the rest. */
export function questionParams(options: QuestionOptions, folder: string): ClusterParams & ConfigParams {
  const { configFile } = options
  return {
    ...clusterParams(options, folder),
    ...(configFile ? { configFile: absolute(configFile, folder) } : {}),
    folder,
  }
}

type ClusterParams = { context?: string; kubeconfig?: string }
type ConfigParams = { configFile?: string; folder: string }

export function clusterParams({ context, kubeconfig }: ClusterOptions, folder: string): ClusterParams {
  return {
    ...(context ? { context } : {}),
    ...(kubeconfig ? { kubeconfig: absolute(kubeconfig, folder) } : {}),
  }
}

/** Where the file is that the user named: seen from the folder in which it was typed. */
export function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : resolve(folder, path)
}

function agentConfig(options: SessionOptions): AgentConfig {
  const { agentImage: image, agentNamespace: namespace, agentStartupTimeout: timeout } = options
  return {
    ...(image ? { image } : {}),
    ...(namespace ? { namespace } : {}),
    ...(timeout ? { startup_timeout: wholeNumber(timeout, '--agent-startup-timeout') } : {}),
    ...(options.ephemeral || options.ephemeralContainer ? { ephemeral: true } : {}),
  }
}

export function wholeNumber(text: string, option: string, help = 'standin help'): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && count.is(value)) return value
  throw new Failure('usage-wrong', { reason: `${option} takes a whole number, not "${text}"`, help })
}
