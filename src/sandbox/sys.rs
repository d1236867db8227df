//! The one room that holds `unsafe`: system calls that no library offers as safe, each behind a
//! function that is. What is done with them is decided in the files beside this one.
#![allow(unsafe_code, reason = "this is the one room for it; every block says why it may")]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use libc::{c_long, seccomp_notif, seccomp_notif_addfd, seccomp_notif_resp, sock_filter, sock_fprog};
use rustix::process::Pid;

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    /// The new process.
    Child,
    /// The old one, with the other's number.
    Parent(Pid),
}

/// Namespaces that a new process can be put into (clone(2)).
pub const NEW_USER: c_long = libc::CLONE_NEWUSER as c_long;
/// Mounts.
pub const NEW_MOUNTS: c_long = libc::CLONE_NEWNS as c_long;
/// Process numbers.
pub const NEW_PIDS: c_long = libc::CLONE_NEWPID as c_long;
/// Network interfaces.
pub const NEW_NETWORK: c_long = libc::CLONE_NEWNET as c_long;
/// The host's name.
pub const NEW_HOSTNAME: c_long = libc::CLONE_NEWUTS as c_long;
/// System V and POSIX message queues.
pub const NEW_QUEUES: c_long = libc::CLONE_NEWIPC as c_long;

/// Control groups.
pub const NEW_CONTROL_GROUPS: c_long = libc::CLONE_NEWCGROUP as c_long;

/// What the GNU C library that this process runs on calls its version; none where it runs on another.
#[must_use]
pub fn gnu_libc_version() -> Option<String> {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: it takes nothing, and gives a text with its end that lives as long as the process.
        let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
        version.to_str().ok().map(str::to_owned)
    }
    #[cfg(not(target_env = "gnu"))]
    None
}

/// Forks, into new namespaces if flags are given. To be called while this process has one thread.
///
/// # Errors
/// When the kernel, or the container's policy, does not allow it.
pub fn fork(namespaces: c_long) -> io::Result<Fork> {
    // SAFETY: without CLONE_VM and with no new stack, clone is fork: the child has a copy of this
    // process. The callers have one thread, so no lock can be held by a thread that the copy lacks.
    let pid = unsafe { libc::syscall(libc::SYS_clone, namespaces | c_long::from(libc::SIGCHLD), 0, 0, 0, 0) };
    match i32::try_from(checked(pid)?).ok().and_then(Pid::from_raw) {
        None => Ok(Fork::Child),
        Some(pid) => Ok(Fork::Parent(pid)),
    }
}

/// Ends this process at once, without what a Rust program does at its end: a forked copy must not do it twice.
pub fn exit(code: i32) -> ! {
    // SAFETY: _exit runs no code of this process.
    unsafe { libc::_exit(code) }
}

/// Puts a system call filter on this process and all that it becomes; gives the descriptor on which its
/// notifications are received.
///
/// # Errors
/// When the kernel has no such filters, or there is a listener already.
pub fn install_filter(program: &[sock_filter]) -> io::Result<OwnedFd> {
    let listener = add_filter(program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)?;
    let listener = RawFd::try_from(listener).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the kernel has just opened this descriptor for us and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(listener) })
}

/// Puts a filter that asks nobody on this process and all that it becomes.
///
/// # Errors
/// When the kernel has no such filters.
pub fn install_plain_filter(program: &[sock_filter]) -> io::Result<()> {
    add_filter(program, 0).map(drop)
}

fn add_filter(program: &[sock_filter], flags: libc::c_ulong) -> io::Result<c_long> {
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = sock_fprog {
        len: length,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel only reads the program, whose length goes with it, and only during the call.
    checked(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) })
}

/// Gives this process, and all that it becomes, a session keyring that is empty.
///
/// # Errors
/// When the kernel has no keyrings, or allows none.
pub fn join_new_session_keyring() -> io::Result<()> {
    const JOIN: c_long = 1;
    // SAFETY: without a name nothing is read.
    checked(unsafe { libc::syscall(libc::SYS_keyctl, JOIN, 0 as c_long) }).map(drop)
}

/// Brings the interface `lo` up, which a new network namespace has and which is down at first (netdevice(7)).
///
/// # Errors
/// When the kernel does not allow it.
pub fn raise_loopback() -> io::Result<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    // SAFETY: the struct is plain numbers and a union of such, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed() as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the kernel only reads one struct of exactly this type.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    checked(c_long::from(done)).map(drop)
}

/// Asks the kernel to let listener and child take turns on one processor, which halves the time of an answer.
/// Kernels before 6.6 do not know it, and are slower.
pub fn wake_in_turn(listener: BorrowedFd<'_>) {
    const SYNC_WAKE_UP: libc::c_ulong = 1;
    // SAFETY: this ioctl takes a plain number.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
}

/// Waits for the next notification.
///
/// # Errors
/// `NotFound` when the caller was killed meanwhile; others when there is nobody left.
pub fn receive(listener: BorrowedFd<'_>) -> io::Result<seccomp_notif> {
    // SAFETY: the struct is plain numbers, for which zero is a value; the kernel wants it zeroed.
    let mut notification: seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one struct of exactly this type.
    let done = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut notification) };
    checked(c_long::from(done))?;
    Ok(notification)
}

/// Answers a notification.
///
/// # Errors
/// When the caller is gone.
pub fn respond(listener: BorrowedFd<'_>, answer: &seccomp_notif_resp) -> io::Result<()> {
    // SAFETY: the kernel only reads one struct of exactly this type.
    let done = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const *answer) };
    checked(c_long::from(done)).map(drop)
}

/// Answers a notification with a descriptor of ours, put into the caller's table.
///
/// # Errors
/// When the caller is gone, or its table is full.
pub fn respond_with(listener: BorrowedFd<'_>, id: u64, file: BorrowedFd<'_>, close_on_exec: bool) -> io::Result<()> {
    let answer = seccomp_notif_addfd {
        id,
        flags: u32::try_from(libc::SECCOMP_ADDFD_FLAG_SEND).unwrap_or_default(),
        srcfd: file.as_raw_fd().cast_unsigned(),
        newfd: 0,
        newfd_flags: if close_on_exec {
            libc::O_CLOEXEC.cast_unsigned()
        } else {
            0
        },
    };
    // SAFETY: the kernel only reads one struct of exactly this type.
    let done = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, &raw const answer) };
    checked(c_long::from(done)).map(drop)
}

/// Makes everything mounted below `path` read-only (mount_setattr(2), Linux 5.12).
///
/// # Errors
/// When the kernel does not know the call, or does not allow it.
pub fn make_read_only(path: &std::ffi::CStr) -> io::Result<()> {
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    const READ_ONLY: u64 = 1;
    let attributes = Attributes {
        set: READ_ONLY,
        clear: 0,
        propagation: 0,
        user_namespace: 0,
    };
    // SAFETY: path and struct live through the call, the size is the struct's, and both are only read.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    };
    checked(done).map(drop)
}

/// Has every descriptor but the standard three closed when this process becomes another.
pub fn keep_standard_descriptors_only() {
    // SAFETY: it only sets a flag on descriptors; none is closed under its owner.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

/// Has the processor's time-stamp counter answered by a signal, which a tracer can answer in its place.
///
/// # Errors
/// When the architecture has no such switch.
pub fn trap_time_stamp_counter() -> io::Result<()> {
    // SAFETY: a plain number in, a flag of this process set.
    let done = unsafe { libc::prctl(libc::PR_SET_TSC, libc::PR_TSC_SIGSEGV, 0, 0, 0) };
    checked(c_long::from(done)).map(drop)
}

/// Options of a tracer: follow children and threads, stop at each new program, end all if the tracer ends.
const FOLLOW: libc::c_int = libc::PTRACE_O_EXITKILL
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACEEXEC;

/// Becomes the tracer of a process and of all that it will start.
///
/// # Errors
/// When this machine does not allow it.
pub fn trace(process: Pid) -> io::Result<()> {
    ptrace(libc::PTRACE_SEIZE, process.as_raw_nonzero().get(), 0, FOLLOW as usize)
}

/// Lets a stopped thread go on, with a signal unless that is 0.
///
/// # Errors
/// When it is gone.
pub fn resume(thread: i32, signal: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_CONT, thread, 0, signal as usize)
}

/// Leaves a thread stopped, as its user wanted it, until it is told to go on.
///
/// # Errors
/// When it is gone.
pub fn leave_stopped(thread: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_LISTEN, thread, 0, 0)
}

/// What an event of the tracer is about: the new thread's number, or the former one's.
///
/// # Errors
/// When the thread is gone.
pub fn event_message(thread: i32) -> io::Result<i32> {
    let mut message: libc::c_ulong = 0;
    ptrace(libc::PTRACE_GETEVENTMSG, thread, 0, (&raw mut message).addr_for_kernel())?;
    i32::try_from(message).map_err(io::Error::other)
}

/// The registers of a stopped thread.
///
/// # Errors
/// When it is gone.
#[cfg(target_arch = "x86_64")]
pub fn registers(thread: i32) -> io::Result<libc::user_regs_struct> {
    // SAFETY: the struct is plain numbers, for which zero is a value.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    ptrace(libc::PTRACE_GETREGS, thread, 0, (&raw mut registers).addr_for_kernel())?;
    Ok(registers)
}

/// Sets the registers of a stopped thread.
///
/// # Errors
/// When it is gone, or one of the values is not allowed.
#[cfg(target_arch = "x86_64")]
pub fn set_registers(thread: i32, mut registers: libc::user_regs_struct) -> io::Result<()> {
    ptrace(libc::PTRACE_SETREGS, thread, 0, (&raw mut registers).addr_for_kernel())
}

/// Pointers are handed to ptrace(2) as numbers.
trait AddressForKernel {
    fn addr_for_kernel(self) -> usize;
}

impl<T> AddressForKernel for *mut T {
    fn addr_for_kernel(self) -> usize {
        self.expose_provenance()
    }
}

fn ptrace(request: libc::c_uint, thread: i32, address: usize, data: usize) -> io::Result<()> {
    // SAFETY: of the requests above, those that write do so to the one variable of their type whose address is `data`,
    // and it outlives the call.
    checked(unsafe { libc::ptrace(request, thread, address, data) }).map(drop)
}

/// Waits for a child, or a traced thread, to end or stop; gives its number and its status (wait(2)).
///
/// # Errors
/// When there is none.
pub fn wait_any() -> io::Result<(i32, i32)> {
    let mut status = 0;
    // SAFETY: the kernel writes one number.
    let process = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
    checked(c_long::from(process))?;
    Ok((process, status))
}

/// Opens a repository whose owner git itself has accepted: libgit2 reads fewer forms of `safe.directory` than git.
pub fn without_owner_check<T>(open: impl FnOnce() -> T) -> T {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // SAFETY: it sets one word, which libgit2 reads when a repository is opened, and that is done by one thread.
    let check = |is_on| unsafe { git2::opts::set_verify_owner_validation(is_on) };
    let _ = check(false);
    let opened = open();
    let _ = check(true);
    opened
}

fn checked(result: c_long) -> io::Result<c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
