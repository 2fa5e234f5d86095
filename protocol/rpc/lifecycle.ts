// The Language Server Protocol's base messages, as far as standin speaks them: life of the connection, cancellation, progress, logs.
// Source of shapes and numbers: Language Server Protocol 3.17, "Base Protocol" and "Server lifecycle".
import * as t from 'io-ts'
import { count, object, oneOf } from '../codec.ts'
import { notification, request } from './message.ts'

const nothing = object('Nothing', {})
export const progressToken = t.union([t.string, count])
export const traceValue = oneOf('off', 'messages', 'verbose')

export const initialize = request({
  method: 'initialize',
  direction: 'clientToServer',
  summary:
    'First request of a connection: who the client is. Anything before it is refused with -32002, a second one with -32600.',
  errors: ['token-wrong'],
  params: object(
    'InitializeParams',
    {},
    {
      processId: [
        t.union([count, t.null]),
        'process id of the editor; the server ends when that process is gone',
      ],
      clientInfo: [
        object(
          'ClientInfo',
          { name: [t.string, 'name of the client'] },
          { version: [t.string, 'its version'] },
        ),
        'who is speaking',
      ],
      capabilities: [
        object('ClientCapabilities', {}, { window: [t.UnknownRecord, 'as in LSP; ignored'] }),
        'what the client can do',
      ],
      trace: [traceValue, 'how much to trace to window/logMessage'],
      token: [t.string, 'the secret of a connection that is not stdio'],
      locale: [t.string, 'ignored: messages are English'],
      workDoneToken: [progressToken, 'ignored'],
    },
  ),
  result: object('InitializeResult', {
    serverInfo: [
      object('ServerInfo', {
        name: [t.string, 'always "standin"'],
        version: [t.string, 'version of the server'],
      }),
      'who answers',
    ],
    capabilities: [
      object(
        'ServerCapabilities',
        {
          methods: [t.array(t.string), 'every method that this server answers'],
          hooks: [t.boolean, 'whether processes can be hooked on this machine'],
        },
        { hooksReason: [t.string, 'why they can not'] },
      ),
      'what this server can do here',
    ],
  }),
  example: {
    params: { processId: null, clientInfo: { name: 'example' } },
    result: {
      serverInfo: { name: 'standin', version: '0.1.0' },
      capabilities: { methods: ['startSession'], hooks: true },
    },
  },
})

export const initialized = notification({
  method: 'initialized',
  direction: 'clientToServer',
  summary: 'The client has read the answer to initialize.',
  params: nothing,
  example: { params: {} },
})

export const shutdown = request({
  method: 'shutdown',
  direction: 'clientToServer',
  summary: 'Ends all sessions and everything started; after its answer only exit is accepted.',
  params: t.union([nothing, t.null]),
  result: t.null,
  example: { params: {}, result: null },
})

export const exit = notification({
  method: 'exit',
  direction: 'clientToServer',
  summary: 'Ends the server: exit code 0 after shutdown, else 1.',
  params: t.union([nothing, t.null]),
  example: { params: {} },
})

export const cancelRequest = notification({
  method: '$/cancelRequest',
  direction: 'clientToServer',
  summary: 'Cancels a request, which is answered with -32800 if it had not ended.',
  params: object('CancelParams', { id: [t.union([t.string, count]), 'id of the request'] }),
  example: { params: { id: 7 } },
})

export const progress = notification({
  method: '$/progress',
  direction: 'serverToClient',
  summary:
    'Progress of a request that carried a workDoneToken, or a part of the result of one that carried a partialResultToken.',
  params: object('ProgressParams', {
    token: [progressToken, 'the token that the request carried'],
    value: [
      t.union([
        object(
          'ProgressStep',
          {
            kind: [oneOf('begin', 'report', 'end'), 'LSP work-done progress'],
          },
          {
            title: [t.string, 'on begin: what is being done'],
            message: [t.string, 'what happens at the moment, and why it waits'],
            step: [t.string, 'name of the step, stable for scripts'],
            elapsedMs: [count, 'milliseconds since the request began'],
            cancellable: [t.boolean, 'always true on begin'],
          },
        ),
        t.UnknownRecord,
      ]),
      'the step, or the part of the result',
    ],
  }),
  example: {
    params: {
      token: 't1',
      value: { kind: 'report', step: 'agent', message: 'agent started', elapsedMs: 112 },
    },
  },
})

export const setTrace = notification({
  method: '$/setTrace',
  direction: 'clientToServer',
  summary: 'Sets how much is traced to window/logMessage.',
  params: object('SetTraceParams', { value: [traceValue, 'off, messages or verbose'] }),
  example: { params: { value: 'messages' } },
})

/** LSP MessageType: 1 error, 2 warning, 3 info, 4 log. */
export const messageType = t.union([t.literal(1), t.literal(2), t.literal(3), t.literal(4)])

export const logMessage = notification({
  method: 'window/logMessage',
  direction: 'serverToClient',
  summary: "A line for the client's log.",
  params: object('LogMessageParams', {
    type: [messageType, '1 error, 2 warning, 3 info, 4 log'],
    message: [t.string, 'the line'],
  }),
  example: { params: { type: 3, message: 'session s1 is running' } },
})

export const showMessage = notification({
  method: 'window/showMessage',
  direction: 'serverToClient',
  summary: 'A sentence that the user should see.',
  params: object('ShowMessageParams', {
    type: [messageType, '1 error, 2 warning, 3 info, 4 log'],
    message: [t.string, 'the sentence'],
  }),
  example: {
    params: {
      type: 2,
      message: 'port 8080 is held by "nginx" (pid 812); the process listens on 40123 instead',
    },
  },
})
