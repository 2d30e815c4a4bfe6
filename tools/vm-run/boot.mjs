/** Boots a kernel in QEMU and runs a command in it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { initramfs, quoted } from './initramfs.mjs'
import { kernelOf, VmError } from './kernel.mjs'

/**
 * No calibration, self tests or watchdog: in an emulator they cost seconds. The clock is not the time stamp counter, whose
 * rate a guest measures wrongly on a busy machine. Expedited RCU makes detaching quicker.
 */
const kernelArguments =
  'quiet console=ttyS0 panic=-1 oops=panic lsm=landlock,lockdown,yama,bpf tsc=unstable clocksource=hpet lpj=4000000' +
  ' no_timer_check' +
  ' audit=0 cryptomgr.notests random.trust_cpu=on rcupdate.rcu_expedited=1 nowatchdog 8250.nr_uarts=1'

/**
 * One thread plays both processors in turn: with a thread each, one of them now and then still sees the breakpoint of an
 * instruction that the other has finished patching, and the kernel dies of it. It is also quicker when two guests share two cores.
 */
const accelerator = 'tcg,thread=single'

/** Where Debian has it: 12 in qemu-system-common, later in a package of its own. */
const virtiofsdPaths = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd']

function scriptOf({ series, dir, command, env }) {
  const all = {
    PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: '/root',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    TSBPF_VM: series,
    ...env,
  }
  const exports = Object.entries(all).map(([name, value]) => `export ${name}=${quoted(value)}`)
  return `${exports.join('\n')}\ncd ${quoted(dir)} || exit 125\nexec ${command.map(quoted).join(' ')}\n`
}

/** A stream of the guest: QEMU connects to a socket of ours and hands on what comes out of the port. */
async function port(job, name, onData) {
  const path = join(job, name)
  const server = createServer((socket) => {
    socket.on('data', onData)
    socket.on('error', () => undefined)
    server.close()
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    name,
    server,
    ended: once(server, 'close'),
    args: [
      '-chardev',
      `socket,id=${name},path=${path}`,
      '-device',
      `virtserialport,chardev=${name},name=${name}`,
    ],
  }
}

/** Shares all files of the host; `sandbox=chroot`, because the root itself cannot be pivoted away (EBUSY). */
async function shareFiles(job) {
  const virtiofsd = virtiofsdPaths.find((path) => existsSync(path))
  if (virtiofsd === undefined)
    throw new VmError('no virtiofsd', 'apt-get install qemu-system-common, or virtiofsd')
  const socket = join(job, 'files')
  let log = ''
  const child = spawn(virtiofsd, [`--socket-path=${socket}`, '-o', 'source=/,cache=always,sandbox=chroot'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr.on('data', (text) => (log += text))
  for (let i = 0; i < 500 && !existsSync(socket); i++) {
    if (child.exitCode !== null) break
    await sleep(20)
  }
  if (existsSync(socket)) return { child, socket }
  child.kill('SIGKILL')
  throw new VmError(
    `virtiofsd does not start: ${log.trim()}`,
    'it shares the files of the host, and must run as root',
  )
}

function end(child) {
  if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
}

/**
 * Runs a command as root on a kernel of the series `6.1` or `6.12`, with the files of the host under a layer that is
 * thrown away; only `dir` is shared. What it prints goes to `onOut` and `onErr`. The result is its exit status; 124
 * means that the time was up, 125 that the guest died, and then `console` is the end of what the kernel said.
 */
export async function boot({ series, dir, command, env = {}, timeout = 300, onOut, onErr }) {
  if (process.geteuid?.() !== 0)
    throw new VmError('this is not root', 'virtiofsd, which shares the files, needs it')
  const kernel = kernelOf(series)
  const job = mkdtempSync(join(tmpdir(), 'tsbpf-vm-'))
  let files
  let qemu
  const abort = () => {
    end(qemu)
    end(files?.child)
    rmSync(job, { recursive: true, force: true })
  }
  process.once('exit', abort)
  try {
    const settings = {
      dir,
      modules: join(kernel.folder, 'lib/modules'),
      config: join(kernel.folder, 'config'),
    }
    writeFileSync(join(job, 'initrd'), initramfs(kernel, settings, scriptOf({ series, dir, command, env })))
    let status = ''
    const ports = [
      await port(job, 'out', onOut),
      await port(job, 'err', onErr),
      await port(job, 'status', (text) => (status += text)),
    ]
    files = await shareFiles(job)
    const memory = '2048M'
    const console = join(job, 'console')
    qemu = spawn(
      'qemu-system-x86_64',
      [
        ...['-accel', accelerator, '-cpu', 'max', '-smp', '2', '-m', memory],
        ...[
          '-M',
          'q35,memory-backend=memory',
          '-nodefaults',
          '-no-user-config',
          '-display',
          'none',
          '-no-reboot',
        ],
        ...['-object', `memory-backend-memfd,id=memory,size=${memory},share=on`],
        ...['-serial', `file:${console}`, '-device', 'virtio-serial-pci'],
        ...['-chardev', `socket,id=files,path=${files.socket}`],
        ...['-device', 'vhost-user-fs-pci,chardev=files,tag=host,queue-size=1024'],
        ...ports.flatMap(({ args }) => args),
        // The ELF file itself, by PVH: no firmware, and nothing to unpack in the emulator.
        ...[
          '-kernel',
          join(kernel.folder, 'vmlinux'),
          '-initrd',
          join(job, 'initrd'),
          '-append',
          kernelArguments,
        ],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let log = ''
    qemu.stderr.on('data', (text) => (log += text))
    let late = false
    const timer = setTimeout(() => {
      late = true
      end(qemu)
    }, timeout * 1000)
    try {
      await once(qemu, 'close')
    } catch (cause) {
      throw new VmError(`QEMU does not start: ${cause.message}`, 'apt-get install qemu-system-x86')
    } finally {
      clearTimeout(timer)
    }
    for (const { server } of ports) server.close()
    await Promise.all(ports.map(({ ended }) => ended))
    const kernelLog = existsSync(console) ? readFileSync(console, 'utf8') : ''
    const code = late ? 124 : /^\d+\n$/.test(status) ? Number(status) : 125
    return { kernel: kernel.name, code, console: code < 124 ? '' : `${log}${kernelLog.slice(-4000)}` }
  } finally {
    process.off('exit', abort)
    abort()
  }
}
