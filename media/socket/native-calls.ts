import type * as Ffi from 'node:ffi'
import { arch, platform } from 'node:process'
import { isMainThread } from 'node:worker_threads'

/** What is called, and how C declares it; 64-bit sizes are given in 32 bits, which the calling conventions widen. */
const SIGNATURES = {
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  bind: { arguments: ['int32', 'pointer', 'uint32'], return: 'int32' },
  connect: { arguments: ['int32', 'pointer', 'uint32'], return: 'int32' },
  getsockname: { arguments: ['int32', 'pointer', 'pointer'], return: 'int32' },
  setsockopt: { arguments: ['int32', 'int32', 'int32', 'pointer', 'uint32'], return: 'int32' },
  close: { arguments: ['int32'], return: 'int32' },
  recvmsg: { arguments: ['int32', 'pointer', 'int32'], return: 'int32' },
  recvmmsg: { arguments: ['int32', 'pointer', 'uint32', 'int32', 'pointer'], return: 'int32' },
  sendmsg: { arguments: ['int32', 'pointer', 'int32'], return: 'int32' },
  sendmmsg: { arguments: ['int32', 'pointer', 'uint32', 'int32'], return: 'int32' },
  write: { arguments: ['int32', 'pointer', 'uint32'], return: 'int32' },
  epoll_create1: { arguments: ['int32'], return: 'int32' },
  epoll_ctl: { arguments: ['int32', 'int32', 'int32', 'pointer'], return: 'int32' },
  epoll_wait: { arguments: ['int32', 'pointer', 'int32', 'int32'], return: 'int32' },
  __errno_location: { arguments: [], return: 'pointer' },
  uv_handle_size: { arguments: ['int32'], return: 'uint32' },
  uv_poll_init: { arguments: ['pointer', 'pointer', 'int32'], return: 'int32' },
  uv_poll_start: { arguments: ['pointer', 'int32', 'pointer'], return: 'int32' },
  uv_poll_stop: { arguments: ['pointer'], return: 'int32' },
} as const satisfies Ffi.FunctionDefinitions

const UV_POLL = 8

export interface NativeCalls {
  ffi: typeof Ffi
  library: Ffi.DynamicLibrary
  calls: Ffi.WrappedFunctionsFromDefinitions<typeof SIGNATURES>
}

/** The functions of the process, or why they cannot be called here. */
export function openNativeCalls(watchBytes: number): NativeCalls | string {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) return `not made for ${platform} on ${arch}`
  if (!isMainThread) return 'not in the main thread'
  const ffi = process.getBuiltinModule('node:ffi') as typeof Ffi | undefined
  if (ffi === undefined) return 'this Node has no node:ffi, or was told to do without'
  try {
    const { lib, functions } = ffi.dlopen(null, SIGNATURES)
    const needed = functions.uv_handle_size(UV_POLL)
    return needed > watchBytes ? `uv_poll_t takes ${needed} bytes` : { ffi, library: lib, calls: functions }
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault)
  }
}
