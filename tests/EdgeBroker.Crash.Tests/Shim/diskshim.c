/*
 * Stands between a program and libc (LD_PRELOAD), for the files under one directory only: writes down in order everything that changes them, with its data, and
 * everything that makes a change durable; refuses or delays what a control page asks for; ends the program with SIGKILL at a chosen operation. It also moves the
 * clock of the wall, for the program alone.
 *
 *   DISKSHIM_DIRECTORY  the directory, absolute and without symbolic links
 *   DISKSHIM_LOG        the log; appended to, so that it goes on over restarts of the program; without it nothing is written down
 *   DISKSHIM_CONTROL    the control page (struct control), mapped shared with the test
 *
 * An operation and its record are one step under one lock, so that the log's order is the file system's. A sync is the exception: it takes long, so its record says
 * where the log ended when it began (that is what it covers) and is written when it returned. What cannot be followed (a writable shared mapping) is written down as such,
 * and the reader of the log refuses it. SQLite's -shm is mapped by nature and means nothing after a power cut; its mapping is let pass.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_FD 65536
#define FICLONE_REQUEST 0x40049409UL

/* The layout is known to ShimControl.cs. */
struct control {
  uint64_t log_end;         /* bytes of the log that are complete */
  uint64_t operations;      /* changing operations and syncs begun */
  uint64_t kill_at;         /* SIGKILL before this operation; 0: never */
  uint32_t killed;          /* that has happened */
  uint32_t fault_mask;      /* which kinds of operation fail: enum fault */
  uint32_t fault_errno;     /* with which error */
  uint32_t sync_delay_ms;   /* how long a sync takes longer; 0 ends one under way */
  uint64_t faults;          /* operations failed on purpose */
  uint64_t delays;          /* syncs delayed on purpose, counted when the delay begins */
  int64_t clock_offset_s;   /* how far the wall's clock is ahead of the system's */
};

enum { DELAY_SLICE_MS = 10 };

enum fault { FAULT_WRITE = 1, FAULT_SYNC = 2, FAULT_NAME = 4 };

/* The layout and the kinds are known to DiskLog.cs. */
enum kind {
  KIND_START = 1, KIND_OPEN, KIND_CREATE, KIND_WRITE, KIND_TRUNCATE, KIND_RENAME, KIND_UNLINK, KIND_LINK, KIND_MKDIR, KIND_RMDIR,
  KIND_SYNC, KIND_SYNC_DIRECTORY, KIND_SYNC_ALL, KIND_UNFOLLOWED
};

struct record {
  uint32_t kind;
  uint32_t data_bytes;      /* that follow */
  uint64_t time_ns;         /* CLOCK_MONOTONIC */
  uint64_t file;            /* inode number */
  uint64_t a;               /* WRITE: offset; TRUNCATE: length; SYNC: the log's end when it began */
  uint64_t b;               /* SYNC: 0 or its errno */
};

struct tracked {
  uint8_t state;            /* 0: not ours */
  uint8_t append;
  uint8_t synchronous;
  uint64_t file;
};

enum { STATE_NONE = 0, STATE_FILE, STATE_DIRECTORY };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static struct tracked fds[MAX_FD];
static struct control *control;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_length;

#define REAL(name) __typeof__(&name) real_##name
static REAL(openat);
static REAL(close);
static REAL(write);
static REAL(pwrite);
static REAL(fsync);
static REAL(fdatasync);
static REAL(ftruncate);
static REAL(rename);
static REAL(renameat);
static REAL(unlink);
static REAL(unlinkat);
static REAL(mmap);
static REAL(dup);
static REAL(dup3);
static REAL(mkdirat);
static REAL(rmdir);
static REAL(linkat);
static REAL(sync);
static REAL(syncfs);
static REAL(fallocate);
static REAL(sendfile64);
static REAL(copy_file_range);
static int (*real_fcntl)(int, int, ...);
static int (*real_ioctl)(int, unsigned long, ...);

static void must(int good, const char *what) {
  if (good) return;
  perror(what);
  abort();
}

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  must(found != NULL, name);
  return found;
}

static void append(enum kind kind, uint64_t file, uint64_t a, uint64_t b, const struct iovec *data, int count) {
  if (log_fd < 0) return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  struct record record = {.kind = kind, .file = file, .a = a, .b = b, .time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
  off_t at = (off_t)control->log_end;
  off_t to = at + (off_t)sizeof record;
  for (int i = 0; i < count; i++) {
    const char *from = data[i].iov_base;
    size_t left = data[i].iov_len;
    record.data_bytes += (uint32_t)left;
    while (left > 0) {
      ssize_t done = real_pwrite(log_fd, from, left, to);
      must(done > 0, "diskshim: the log");
      from += done;
      to += done;
      left -= (size_t)done;
    }
  }
  must(real_pwrite(log_fd, &record, sizeof record, at) == (ssize_t)sizeof record, "diskshim: the log");
  __atomic_store_n(&control->log_end, (uint64_t)to, __ATOMIC_SEQ_CST);
}

static void append_text(enum kind kind, uint64_t file, const char *text) {
  struct iovec data = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
  append(kind, file, 0, 0, &data, 1);
}

static void append_pair(enum kind kind, const char *from, const char *to) {
  struct iovec data[2] = {{(void *)(uintptr_t)from, strlen(from) + 1}, {(void *)(uintptr_t)to, strlen(to)}};
  append(kind, 0, 0, 0, data, 2);
}

/* Constructors of other libraries may run, and call, before ours. */
static void resolve(void) {
  if (real_ioctl != NULL) return;
  real_openat = next("openat");
  real_close = next("close");
  real_write = next("write");
  real_pwrite = next("pwrite64");
  real_fsync = next("fsync");
  real_fdatasync = next("fdatasync");
  real_ftruncate = next("ftruncate64");
  real_rename = next("rename");
  real_renameat = next("renameat");
  real_unlink = next("unlink");
  real_unlinkat = next("unlinkat");
  real_mmap = next("mmap64");
  real_dup = next("dup");
  real_dup3 = next("dup3");
  real_mkdirat = next("mkdirat");
  real_rmdir = next("rmdir");
  real_linkat = next("linkat");
  real_sync = next("sync");
  real_syncfs = next("syncfs");
  real_fallocate = next("fallocate64");
  real_sendfile64 = next("sendfile64");
  real_copy_file_range = next("copy_file_range");
  real_fcntl = next("fcntl64");
  real_ioctl = next("ioctl");
}

__attribute__((constructor)) static void start(void) {
  resolve();
  const char *directory = getenv("DISKSHIM_DIRECTORY");
  const char *log_path = getenv("DISKSHIM_LOG");
  const char *control_path = getenv("DISKSHIM_CONTROL");
  if (directory == NULL || control_path == NULL) return;
  root_length = strlen(directory);
  must(root_length > 1 && root_length < sizeof root, "diskshim: DISKSHIM_DIRECTORY");
  memcpy(root, directory, root_length);
  int fd = real_openat(AT_FDCWD, control_path, O_RDWR | O_CLOEXEC);
  must(fd >= 0, control_path);
  void *page = real_mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  must(page != MAP_FAILED, control_path);
  real_close(fd);
  if (log_path != NULL) {
    int low = real_openat(AT_FDCWD, log_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(low >= 0, log_path);
    /* The program's own descriptors stay what they would be without. */
    log_fd = real_fcntl(low, F_DUPFD_CLOEXEC, 900);
    must(log_fd >= 0, log_path);
    real_close(low);
  }
  control = page;
  append(KIND_START, 0, 0, 0, NULL, 0);
}

/* Whether a path lies in the directory; then `relative` is what it is called there, "" for the directory itself. */
static int ours(int directory, const char *path, char *relative) {
  resolve();
  if (control == NULL || path == NULL || *path == 0) return 0;
  char absolute[PATH_MAX * 2], parent[PATH_MAX], resolved[PATH_MAX];
  if (path[0] == '/') {
    snprintf(absolute, sizeof absolute, "%s", path);
  } else {
    char base[PATH_MAX];
    if (directory == AT_FDCWD) {
      if (getcwd(base, sizeof base) == NULL) return 0;
    } else {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
      ssize_t length = readlink(link, base, sizeof base - 1);
      if (length < 0) return 0;
      base[length] = 0;
    }
    snprintf(absolute, sizeof absolute, "%s/%s", base, path);
  }
  size_t length = strlen(absolute);
  while (length > 1 && absolute[length - 1] == '/') absolute[--length] = 0;
  if (strcmp(absolute, root) == 0) {
    *relative = 0;
    return 1;
  }
  char *slash = strrchr(absolute, '/');
  const char *name = slash + 1;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
    if (realpath(absolute, resolved) == NULL) return 0;
  } else {
    size_t parent_length = (size_t)(slash - absolute);
    if (parent_length >= sizeof parent) return 0;
    memcpy(parent, absolute, parent_length);
    parent[parent_length] = 0;
    char real_parent[PATH_MAX];
    if (realpath(parent_length == 0 ? "/" : parent, real_parent) == NULL) return 0;
    if (snprintf(resolved, sizeof resolved, "%s/%s", real_parent, name) >= (int)sizeof resolved) return 0;
  }
  if (strncmp(resolved, root, root_length) != 0) return 0;
  if (resolved[root_length] == 0) {
    *relative = 0;
    return 1;
  }
  if (resolved[root_length] != '/') return 0;
  memcpy(relative, resolved + root_length + 1, strlen(resolved + root_length + 1) + 1);
  return 1;
}

static struct tracked *of(int fd) {
  resolve();
  return control != NULL && fd >= 0 && fd < MAX_FD && fds[fd].state != STATE_NONE ? &fds[fd] : NULL;
}

/* Counts an operation, which may be the last. */
static void count(void) {
  uint64_t number = __atomic_add_fetch(&control->operations, 1, __ATOMIC_SEQ_CST);
  uint64_t last = __atomic_load_n(&control->kill_at, __ATOMIC_SEQ_CST);
  if (last == 0 || number < last) return;
  __atomic_store_n(&control->killed, 1, __ATOMIC_SEQ_CST);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static int fails(enum fault fault) {
  if ((__atomic_load_n(&control->fault_mask, __ATOMIC_SEQ_CST) & fault) == 0) return 0;
  __atomic_add_fetch(&control->faults, 1, __ATOMIC_SEQ_CST);
  errno = (int)control->fault_errno;
  return 1;
}

static uint64_t size_of(int fd) {
  struct stat status;
  must(fstat(fd, &status) == 0, "diskshim: fstat");
  return (uint64_t)status.st_size;
}

static int open_any(int directory, const char *path, int flags, mode_t mode) {
  char relative[PATH_MAX];
  if (!ours(directory, path, relative)) {
    int fd = real_openat(directory, path, flags, mode);
    if (control != NULL && fd >= 0 && fd < MAX_FD) fds[fd].state = STATE_NONE;
    return fd;
  }
  int writable = (flags & O_ACCMODE) != O_RDONLY;
  pthread_mutex_lock(&gate);
  struct stat before;
  int existed = fstatat(directory, path, &before, 0) == 0;
  int changes = ((flags & O_CREAT) && !existed) || ((flags & O_TRUNC) && writable);
  if (changes) count();
  if ((changes || writable) && fails(FAULT_NAME)) {
    pthread_mutex_unlock(&gate);
    return -1;
  }
  int fd = real_openat(directory, path, flags, mode);
  if (fd >= 0) {
    int saved = errno;
    must(fd < MAX_FD, "diskshim: too many descriptors");
    struct stat status;
    must(fstat(fd, &status) == 0, "diskshim: fstat");
    fds[fd] = (struct tracked){
        .state = S_ISDIR(status.st_mode) ? STATE_DIRECTORY : STATE_FILE,
        .append = (flags & O_APPEND) != 0,
        .synchronous = (flags & O_DSYNC) != 0 /* a bit of O_SYNC */,
        .file = status.st_ino};
    if (S_ISREG(status.st_mode)) {
      if (!existed) append_text(KIND_CREATE, status.st_ino, relative);
      else if (writable) append_text(KIND_OPEN, status.st_ino, relative);
      if (existed && writable && (flags & O_TRUNC) && before.st_size > 0) append(KIND_TRUNCATE, status.st_ino, 0, 0, NULL, 0);
    }
    errno = saved;
  }
  pthread_mutex_unlock(&gate);
  return fd;
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & O_CREAT) || (flags & __O_TMPFILE) == __O_TMPFILE ? (mode_t)va_arg(rest, int) : 0;
}

#define OPEN(name, prefix, directory)                    \
  EXPORT int name(prefix const char *path, int flags, ...) { \
    va_list rest;                                        \
    va_start(rest, flags);                               \
    mode_t mode = mode_of(flags, rest);                  \
    va_end(rest);                                        \
    return open_any(directory, path, flags, mode);       \
  }
#define COMMA ,
OPEN(open, , AT_FDCWD)
OPEN(open64, , AT_FDCWD)
OPEN(openat, int directory COMMA, directory)
OPEN(openat64, int directory COMMA, directory)
EXPORT int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
EXPORT int creat64(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

EXPORT int close(int fd) {
  if (of(fd) != NULL) {
    pthread_mutex_lock(&gate);
    fds[fd].state = STATE_NONE;
    pthread_mutex_unlock(&gate);
  }
  return real_close(fd);
}

static void same(int from, int to) {
  if (control == NULL || from < 0 || to < 0 || from >= MAX_FD || to >= MAX_FD || from == to) return;
  pthread_mutex_lock(&gate);
  fds[to] = fds[from];
  pthread_mutex_unlock(&gate);
}

EXPORT int dup(int fd) {
  resolve();
  int copy = real_dup(fd);
  same(fd, copy);
  return copy;
}

EXPORT int dup3(int fd, int to, int flags) {
  resolve();
  int copy = real_dup3(fd, to, flags);
  same(fd, copy);
  return copy;
}

EXPORT int dup2(int fd, int to) {
  resolve();
  if (fd == to) return real_fcntl(fd, F_GETFD) < 0 ? -1 : fd;
  return dup3(fd, to, 0);
}

static int fcntl_any(int fd, int command, void *argument) {
  resolve();
  int result = real_fcntl(fd, command, argument);
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) same(fd, result);
  return result;
}

EXPORT int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return fcntl_any(fd, command, argument);
}

EXPORT int fcntl64(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return fcntl_any(fd, command, argument);
}

/* A copy inside the kernel would pass unseen; programs fall back to reading and writing. */
EXPORT int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (request == FICLONE_REQUEST && of(fd) != NULL) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return real_ioctl(fd, request, argument);
}

EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t bytes) {
  if (of(to) != NULL) {
    errno = EINVAL;
    return -1;
  }
  return real_sendfile64(to, from, offset, bytes);
}

EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t bytes) { return sendfile64(to, from, (off64_t *)offset, bytes); }

EXPORT ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t bytes, unsigned flags) {
  if (of(to) != NULL) {
    errno = EINVAL;
    return -1;
  }
  return real_copy_file_range(from, from_offset, to, to_offset, bytes, flags);
}

/* Writes the parts at an offset; -1: where the descriptor stands. */
static ssize_t write_parts(int fd, struct tracked *tracked, const struct iovec *parts, int parts_count, off_t offset) {
  pthread_mutex_lock(&gate);
  count();
  if (fails(FAULT_WRITE)) {
    pthread_mutex_unlock(&gate);
    return -1;
  }
  uint64_t at = tracked->append ? size_of(fd) : offset >= 0 ? (uint64_t)offset : (uint64_t)lseek(fd, 0, SEEK_CUR);
  ssize_t total = 0;
  for (int i = 0; i < parts_count; i++) {
    ssize_t done = offset >= 0 ? real_pwrite(fd, parts[i].iov_base, parts[i].iov_len, offset + total) : real_write(fd, parts[i].iov_base, parts[i].iov_len);
    if (done < 0) {
      if (total == 0) total = -1;
      break;
    }
    struct iovec written = {parts[i].iov_base, (size_t)done};
    if (done > 0) append(KIND_WRITE, tracked->file, at, 0, &written, 1);
    at += (uint64_t)done;
    total += done;
    if ((size_t)done < parts[i].iov_len) break;
  }
  if (tracked->synchronous && total > 0) append(KIND_SYNC, tracked->file, control->log_end, 0, NULL, 0);
  pthread_mutex_unlock(&gate);
  return total;
}

static ssize_t write_one(int fd, struct tracked *tracked, const void *data, size_t bytes, off_t offset) {
  struct iovec part = {(void *)(uintptr_t)data, bytes};
  return write_parts(fd, tracked, &part, 1, offset);
}

EXPORT ssize_t write(int fd, const void *data, size_t bytes) {
  struct tracked *tracked = of(fd);
  if (tracked != NULL) return write_one(fd, tracked, data, bytes, -1);
  return real_write(fd, data, bytes);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset) {
  struct tracked *tracked = of(fd);
  return tracked != NULL ? write_one(fd, tracked, data, bytes, offset) : real_pwrite(fd, data, bytes, offset);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) { return pwrite64(fd, data, bytes, offset); }

#define VECTOR(name, pass, parameters, offset)                                                       \
  EXPORT ssize_t name parameters {                                                                   \
    struct tracked *tracked = of(fd);                                                                \
    if (tracked != NULL) return write_parts(fd, tracked, parts, parts_count, offset);                \
    static __typeof__(&name) real;                                                                   \
    if (real == NULL) real = next(#name);                                                            \
    return real pass;                                                                                \
  }
VECTOR(writev, (fd, parts, parts_count), (int fd, const struct iovec *parts, int parts_count), -1)
VECTOR(pwritev, (fd, parts, parts_count, offset), (int fd, const struct iovec *parts, int parts_count, off_t offset), offset)
VECTOR(pwritev64, (fd, parts, parts_count, offset), (int fd, const struct iovec *parts, int parts_count, off64_t offset), offset)
VECTOR(pwritev2, (fd, parts, parts_count, offset, flags), (int fd, const struct iovec *parts, int parts_count, off_t offset, int flags), offset)

static int truncate_fd(int fd, struct tracked *tracked, off64_t length) {
  pthread_mutex_lock(&gate);
  count();
  int result = fails(FAULT_WRITE) ? -1 : real_ftruncate(fd, length);
  if (result == 0) append(KIND_TRUNCATE, tracked->file, (uint64_t)length, 0, NULL, 0);
  pthread_mutex_unlock(&gate);
  return result;
}

EXPORT int ftruncate64(int fd, off64_t length) {
  struct tracked *tracked = of(fd);
  return tracked != NULL ? truncate_fd(fd, tracked, length) : real_ftruncate(fd, length);
}

EXPORT int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

EXPORT int truncate64(const char *path, off64_t length) {
  int fd = open_any(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return -1;
  int result = ftruncate64(fd, length);
  int saved = errno;
  close(fd);
  errno = saved;
  return result;
}

EXPORT int truncate(const char *path, off_t length) { return truncate64(path, length); }

EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
  struct tracked *tracked = of(fd);
  if (tracked == NULL) return real_fallocate(fd, mode, offset, length);
  if (mode != 0) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return (uint64_t)(offset + length) > size_of(fd) ? truncate_fd(fd, tracked, offset + length) : 0;
}

EXPORT int fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate64(fd, mode, offset, length); }

EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  int saved = errno;
  int result = fallocate64(fd, 0, offset, length) == 0 ? 0 : errno;
  errno = saved;
  return result;
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t length) { return posix_fallocate64(fd, offset, length); }

static int sync_any(int fd, int (*real)(int)) {
  struct tracked *tracked = of(fd);
  if (tracked == NULL) return real(fd);
  pthread_mutex_lock(&gate);
  count();
  uint64_t began = control->log_end;
  struct tracked what = *tracked;
  pthread_mutex_unlock(&gate);
  uint32_t delay = __atomic_load_n(&control->sync_delay_ms, __ATOMIC_SEQ_CST);
  if (delay > 0) {
    __atomic_add_fetch(&control->delays, 1, __ATOMIC_SEQ_CST);
    /* Slice by slice, so that it ends early when the test takes it back. */
    for (uint32_t slept = 0; slept < delay && __atomic_load_n(&control->sync_delay_ms, __ATOMIC_SEQ_CST) > 0; slept += DELAY_SLICE_MS) {
      uint32_t slice = delay - slept < DELAY_SLICE_MS ? delay - slept : DELAY_SLICE_MS;
      struct timespec left = {0, (long)slice * 1000000};
      while (nanosleep(&left, &left) != 0 && errno == EINTR) {
      }
    }
  }
  int result = fails(FAULT_SYNC) ? -1 : real(fd);
  int error = result == 0 ? 0 : errno;
  pthread_mutex_lock(&gate);
  if (what.state == STATE_DIRECTORY) {
    char link[64], path[PATH_MAX], relative[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    must(length >= 0, "diskshim: a directory");
    path[length] = 0;
    if (ours(AT_FDCWD, path, relative)) {
      struct iovec data = {relative, strlen(relative)};
      append(KIND_SYNC_DIRECTORY, what.file, began, (uint64_t)error, &data, 1);
    }
  } else {
    append(KIND_SYNC, what.file, began, (uint64_t)error, NULL, 0);
  }
  pthread_mutex_unlock(&gate);
  errno = error;
  return result;
}

EXPORT int fsync(int fd) { return sync_any(fd, real_fsync); }

EXPORT int fdatasync(int fd) { return sync_any(fd, real_fdatasync); }

EXPORT void sync(void) {
  resolve();
  uint64_t began = control != NULL ? control->log_end : 0;
  real_sync();
  if (control == NULL) return;
  pthread_mutex_lock(&gate);
  append(KIND_SYNC_ALL, 0, began, 0, NULL, 0);
  pthread_mutex_unlock(&gate);
}

EXPORT int syncfs(int fd) {
  uint64_t began = control != NULL ? control->log_end : 0;
  int result = real_syncfs(fd);
  if (control == NULL || of(fd) == NULL || result != 0) return result;
  pthread_mutex_lock(&gate);
  append(KIND_SYNC_ALL, 0, began, 0, NULL, 0);
  pthread_mutex_unlock(&gate);
  return result;
}

static int rename_any(int from_directory, const char *from, int to_directory, const char *to) {
  char old[PATH_MAX], new[PATH_MAX];
  int left = ours(from_directory, from, old), entered = ours(to_directory, to, new);
  if (!left && !entered) return real_renameat(from_directory, from, to_directory, to);
  pthread_mutex_lock(&gate);
  count();
  int result = fails(FAULT_NAME) ? -1 : real_renameat(from_directory, from, to_directory, to);
  if (result == 0) {
    if (left && entered) append_pair(KIND_RENAME, old, new);
    else append_text(KIND_UNFOLLOWED, 0, "a rename across the border of the directory");
  }
  pthread_mutex_unlock(&gate);
  return result;
}

EXPORT int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to); }

EXPORT int renameat(int from_directory, const char *from, int to_directory, const char *to) { return rename_any(from_directory, from, to_directory, to); }

EXPORT int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
  char path[PATH_MAX];
  if (flags == 0) return rename_any(from_directory, from, to_directory, to);
  if (ours(from_directory, from, path) || ours(to_directory, to, path)) {
    errno = EINVAL;
    return -1;
  }
  static __typeof__(&renameat2) real;
  if (real == NULL) real = next("renameat2");
  return real(from_directory, from, to_directory, to, flags);
}

static int remove_any(int directory, const char *path, int flags) {
  char relative[PATH_MAX];
  if (!ours(directory, path, relative)) return real_unlinkat(directory, path, flags);
  pthread_mutex_lock(&gate);
  count();
  int result = fails(FAULT_NAME) ? -1 : real_unlinkat(directory, path, flags);
  if (result == 0) append_text(flags & AT_REMOVEDIR ? KIND_RMDIR : KIND_UNLINK, 0, relative);
  pthread_mutex_unlock(&gate);
  return result;
}

EXPORT int unlink(const char *path) { return remove_any(AT_FDCWD, path, 0); }

EXPORT int unlinkat(int directory, const char *path, int flags) { return remove_any(directory, path, flags); }

EXPORT int rmdir(const char *path) { return remove_any(AT_FDCWD, path, AT_REMOVEDIR); }

EXPORT int remove(const char *path) {
  struct stat status;
  if (lstat(path, &status) != 0) return -1;
  return remove_any(AT_FDCWD, path, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0);
}

EXPORT int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
  char old[PATH_MAX], new[PATH_MAX];
  if (!ours(to_directory, to, new)) return real_linkat(from_directory, from, to_directory, to, flags);
  pthread_mutex_lock(&gate);
  count();
  int result = fails(FAULT_NAME) ? -1 : real_linkat(from_directory, from, to_directory, to, flags);
  if (result == 0) {
    if (ours(from_directory, from, old)) append_pair(KIND_LINK, old, new);
    else append_text(KIND_UNFOLLOWED, 0, "a link from outside the directory");
  }
  pthread_mutex_unlock(&gate);
  return result;
}

EXPORT int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

EXPORT int mkdirat(int directory, const char *path, mode_t mode) {
  char relative[PATH_MAX];
  if (!ours(directory, path, relative)) return real_mkdirat(directory, path, mode);
  pthread_mutex_lock(&gate);
  count();
  int result = fails(FAULT_NAME) ? -1 : real_mkdirat(directory, path, mode);
  if (result == 0 && *relative != 0) append_text(KIND_MKDIR, 0, relative);
  pthread_mutex_unlock(&gate);
  return result;
}

EXPORT int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

static void *map_any(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
  resolve();
  struct tracked *tracked = (flags & MAP_ANONYMOUS) == 0 ? of(fd) : NULL;
  if (tracked != NULL && (protection & PROT_WRITE) && (flags & MAP_SHARED)) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(link, path, sizeof path - 1);
    must(bytes >= 0, "diskshim: a mapping");
    path[bytes] = 0;
    if (bytes < 4 || strcmp(path + bytes - 4, "-shm") != 0) {
      pthread_mutex_lock(&gate);
      append_text(KIND_UNFOLLOWED, tracked->file, "a writable shared mapping");
      pthread_mutex_unlock(&gate);
    }
  }
  return real_mmap(address, length, protection, flags, fd, offset);
}

EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
  return map_any(address, length, protection, flags, fd, offset);
}

EXPORT void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) { return map_any(address, length, protection, flags, fd, offset); }

static int64_t clock_offset(void) { return control == NULL ? 0 : __atomic_load_n(&control->clock_offset_s, __ATOMIC_SEQ_CST); }

EXPORT int clock_gettime(clockid_t clock, struct timespec *now) {
  static __typeof__(&clock_gettime) real;
  if (real == NULL) real = next("clock_gettime");
  int result = real(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += (time_t)clock_offset();
  return result;
}

EXPORT int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  static __typeof__(&gettimeofday) real;
  if (real == NULL) real = next("gettimeofday");
  int result = real(now, zone);
  if (result == 0) now->tv_sec += (time_t)clock_offset();
  return result;
}

EXPORT time_t time(time_t *now) {
  static __typeof__(&time) real;
  if (real == NULL) real = next("time");
  time_t result = real(NULL) + (time_t)clock_offset();
  if (now != NULL) *now = result;
  return result;
}
