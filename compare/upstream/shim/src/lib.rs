//! The original crate behind the C interface of ../../upstream_abi.h, which says what each
//! function does.
//!
//! Nothing here unwinds into its caller: a panic becomes a failure.

use std::ffi::{c_char, c_void};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use walrus_rust::{FsyncSchedule, ReadConsistency, Walrus};

/// More than the header the crate puts before each record (64 bytes in 0.2.0).
const MORE_THAN_A_HEADER: usize = 256;
/// What the crate's own background thread asks for.
const BACKGROUND_RING: u32 = 2048;

const MESSAGE_BYTES: usize = 256;

#[repr(i32)]
#[derive(Clone, Copy)]
pub enum Code {
    Ok = 0,
    Busy = 1,
    InvalidArgument = 2,
    Corruption = 3,
    NoSpace = 4,
    Unsupported = 5,
    Io = 6,
}

#[repr(C)]
pub struct Failure {
    message: [c_char; MESSAGE_BYTES],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ByteSpan {
    data: *const u8,
    size: usize,
}

impl ByteSpan {
    /// SAFETY: the caller's bytes must stay as they are for as long as the slice is used.
    unsafe fn as_slice<'a>(&self) -> &'a [u8] {
        if self.size == 0 {
            return &[];
        }
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }

    /// SAFETY: as for `as_slice`.
    unsafe fn as_str<'a>(&self) -> io::Result<&'a str> {
        std::str::from_utf8(unsafe { self.as_slice() })
            .map_err(|_| io::Error::new(ErrorKind::InvalidInput, "a name is not UTF-8"))
    }
}

#[repr(C)]
pub struct Options {
    directory: ByteSpan,
    schedule: u32,
    interval_ms: u64,
    mmap: bool,
}

#[repr(C)]
pub struct Visitor {
    visit: extern "C" fn(*mut c_void, ByteSpan),
    context: *mut c_void,
}

pub struct Log {
    log: Walrus,
}

/// What the crate takes from the process and not from its caller.
struct Fixed {
    o_sync: bool,
    mmap: bool,
    directory: String,
}

/// Of the last open; also keeps two opens apart.
static FIXED: Mutex<Option<Fixed>> = Mutex::new(None);

fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::WouldBlock => Code::Busy,
        ErrorKind::InvalidInput => Code::InvalidArgument,
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Code::Corruption,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::NoSpace,
        ErrorKind::Unsupported => Code::Unsupported,
        _ => Code::Io,
    }
}

fn note(failure: *mut Failure, text: &str) {
    // A message that is too long ends between two characters.
    let mut length = text.len().min(MESSAGE_BYTES - 1);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    // SAFETY: the caller's structure is writable and ours during the call.
    let message = unsafe { &mut (*failure).message };
    for (to, from) in message.iter_mut().zip(text[..length].bytes()) {
        *to = from as c_char;
    }
    message[length] = 0;
}

fn guarded(failure: *mut Failure, body: impl FnOnce() -> io::Result<()>) -> i32 {
    let code = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Code::Ok,
        Ok(Err(error)) => {
            note(failure, &error.to_string());
            code_of(error.kind())
        }
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            note(failure, &format!("panic: {text}"));
            Code::Io
        }
    };
    code as i32
}

fn schedule_of(options: &Options) -> io::Result<FsyncSchedule> {
    match options.schedule {
        0 => Ok(FsyncSchedule::NoFsync),
        1 => Ok(FsyncSchedule::Milliseconds(options.interval_ms)),
        2 => Ok(FsyncSchedule::SyncEach),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, "unknown schedule")),
    }
}

/// The crate's background thread panics without an io_uring, and then nothing is ever synced.
fn require_io_uring() -> io::Result<()> {
    match io_uring::IoUring::new(BACKGROUND_RING) {
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::new(
            ErrorKind::Unsupported,
            format!("the original needs an io_uring of {BACKGROUND_RING} entries: {error}"),
        )),
    }
}

fn open(options: &Options) -> io::Result<Box<Log>> {
    let schedule = schedule_of(options)?;
    // SAFETY: the caller's bytes are there during the call.
    let directory = unsafe { options.directory.as_str() }?;
    require_io_uring()?;

    let o_sync = matches!(schedule, FsyncSchedule::SyncEach);
    let mmap = options.mmap;
    let mut last = FIXED.lock().unwrap_or_else(PoisonError::into_inner);
    if last
        .as_ref()
        .is_some_and(|last| (last.o_sync, last.mmap) != (o_sync, mmap))
    {
        return Err(io::Error::new(
            ErrorKind::Unsupported,
            "the original keeps the backend and O_SYNC of the first open for the whole process",
        ));
    }
    if last.as_ref().is_none_or(|last| last.directory != directory) {
        // SAFETY: the crate reads the environment through std, which locks; the caller promises
        // that no other thread of the process is about to read it past that lock.
        unsafe {
            std::env::set_var("WALRUS_DATA_DIR", directory);
            std::env::set_var("WALRUS_QUIET", "1");
            std::env::remove_var("WALRUS_INSTANCE_KEY");
        }
    }
    *last = Some(Fixed {
        o_sync,
        mmap,
        directory: directory.to_owned(),
    });
    if mmap {
        walrus_rust::disable_fd_backend();
    } else {
        walrus_rust::enable_fd_backend();
    }
    // So many that a read never persists the cursor: who opens next reads from the start.
    let consistency = ReadConsistency::AtLeastOnce {
        persist_every: u32::MAX,
    };
    let log = Walrus::with_consistency_and_schedule(consistency, schedule)?;
    Ok(Box::new(Log { log }))
}

fn append(log: &Walrus, topic: &str, records: &[ByteSpan]) -> io::Result<()> {
    if let [record] = records {
        // SAFETY: the caller's bytes are there during the call.
        return log.append_for_topic(topic, unsafe { record.as_slice() });
    }
    // SAFETY: as above.
    let batch: Vec<&[u8]> = records
        .iter()
        .map(|record| unsafe { record.as_slice() })
        .collect();
    log.batch_append_for_topic(topic, &batch)
}

fn read(log: &Walrus, topic: &str, max_bytes: usize) -> io::Result<Vec<walrus_rust::Entry>> {
    let entries = log.batch_read_for_topic(topic, max_bytes, true)?;
    if !entries.is_empty() {
        return Ok(entries);
    }
    // The end, or a record above the budget: those come back as nothing.
    let Some(next) = log.read_next(topic, false)? else {
        return Ok(entries);
    };
    let entries = log.batch_read_for_topic(topic, next.data.len() + MORE_THAN_A_HEADER, true)?;
    if entries.is_empty() {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "a record is there but is not read",
        ));
    }
    Ok(entries)
}

/// # Safety
/// As ../../upstream_abi.h says; so for all functions below.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn walrus_upstream_open(
    options: *const Options,
    log: *mut *mut Log,
    failure: *mut Failure,
) -> i32 {
    guarded(failure, || {
        let opened = open(unsafe { &*options })?;
        unsafe { *log = Box::into_raw(opened) };
        Ok(())
    })
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn walrus_upstream_close(log: *mut Log) {
    if !log.is_null() {
        // Dropping it cannot report anything.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(log) })));
    }
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn walrus_upstream_append(
    log: *const Log,
    topic: ByteSpan,
    records: *const ByteSpan,
    count: usize,
    failure: *mut Failure,
) -> i32 {
    guarded(failure, || {
        let records = match count {
            0 => &[],
            _ => unsafe { std::slice::from_raw_parts(records, count) },
        };
        append(unsafe { &(*log).log }, unsafe { topic.as_str() }?, records)
    })
}

/// # Safety
/// See above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn walrus_upstream_read(
    log: *const Log,
    topic: ByteSpan,
    max_bytes: usize,
    visitor: Visitor,
    failure: *mut Failure,
) -> i32 {
    guarded(failure, || {
        let topic = unsafe { topic.as_str() }?;
        for entry in read(unsafe { &(*log).log }, topic, max_bytes)? {
            (visitor.visit)(
                visitor.context,
                ByteSpan {
                    data: entry.data.as_ptr(),
                    size: entry.data.len(),
                },
            );
        }
        Ok(())
    })
}
