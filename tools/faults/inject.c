// Preloaded into a program, makes one of its calls on files fail: which operations, on which files,
// the how many-th, and how is in the environment. Linux, glibc.
//
//   LD_PRELOAD=libinject.so FAULT_FOLDER=/run FAULT_CALL=7 FAULT_ERROR=28 FAULT_REPORT=/tmp/r lra ...
//
// FAULT_FOLDER   the calls that count are on files below this folder, by their path
// FAULT_CALL     the first of them has number 1; 0: none fails
// FAULT_ERROR    errno of the failure (5 EIO, 28 ENOSPC); 0: a write or read that takes half of its
//                bytes, after which the next write fails with ENOSPC, as on a disk that is full
// FAULT_REPORT   a file that gets a line "<number> <operation> <path>" for each call that failed, or
//                for each call where none is to fail, and at exit "<how many> calls"
// FAULT_COUNTER  a file of eight zero bytes: the calls of all processes that share it are counted
//                together; without it each process counts its own
//
// Calls that count: open, read, write, pwrite, fsync, ftruncate, rename, unlink, mmap of a file.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_long g_own_calls;
static atomic_long* g_calls = &g_own_calls;
static atomic_int g_disk_is_full;

static const char* Setting(const char* name) {
  const char* value = getenv(name);
  return value == NULL ? "" : value;
}

static void* Real(const char* name) { return dlsym(RTLD_NEXT, name); }

static void Report(const char* format, ...) {
  char line[PATH_MAX + 64];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  int (*real_open)(const char*, int, ...) = (int (*)(const char*, int, ...))Real("open");
  ssize_t (*real_write)(int, const void*, size_t) =
      (ssize_t(*)(int, const void*, size_t))Real("write");
  const int file = real_open(Setting("FAULT_REPORT"), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file < 0) return;
  if (real_write(file, line, (size_t)length) < 0) abort();
  close(file);
}

__attribute__((constructor)) static void ShareCounter(void) {
  const char* path = Setting("FAULT_COUNTER");
  if (path[0] == '\0') return;
  int (*real_open)(const char*, int, ...) = (int (*)(const char*, int, ...))Real("open");
  void* (*real_mmap)(void*, size_t, int, int, int, off_t) =
      (void* (*)(void*, size_t, int, int, int, off_t))Real("mmap");
  const int file = real_open(path, O_RDWR | O_CLOEXEC);
  void* shared = real_mmap(NULL, sizeof *g_calls, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) abort();
  g_calls = shared;
  close(file);
}

__attribute__((destructor)) static void ReportCalls(void) {
  Report("%ld calls\n", atomic_load(g_calls));
}

static int IsBelow(const char* path) {
  const char* folder = Setting("FAULT_FOLDER");
  const size_t length = strlen(folder);
  return length > 0 && strncmp(path, folder, length) == 0;
}

// The path behind a descriptor, or an empty text.
static void PathOf(int descriptor, char* path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = '\0';
}

// The path of `name` in an open folder.
static void PathAt(int folder, const char* name, char* path) {
  char parent[PATH_MAX] = "";
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
    return;
  }
  if (folder == AT_FDCWD) {
    if (getcwd(parent, sizeof parent) == NULL) parent[0] = '\0';
  } else {
    PathOf(folder, parent);
  }
  if (snprintf(path, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX) path[0] = '\0';
}

// Whether this call is the one to fail; errno is set then.
static int Fails(const char* operation, const char* path) {
  if (!IsBelow(path)) return 0;
  const long number = atomic_fetch_add(g_calls, 1) + 1;
  const long to_fail = atol(Setting("FAULT_CALL"));
  if (to_fail == 0 || number == to_fail) Report("%ld %s %s\n", number, operation, path);
  if (number != to_fail) return 0;
  errno = atoi(Setting("FAULT_ERROR"));
  return 1;
}

static int OpenAs(const char* name, int folder, const char* path, int flags, mode_t mode) {
  char full[PATH_MAX];
  PathAt(folder, path, full);
  if (Fails("open", full)) {
    if (errno == 0) errno = EIO;
    return -1;
  }
  int (*real)(int, const char*, int, ...) = (int (*)(int, const char*, int, ...))Real(name);
  return real(folder, path, flags, mode);
}

static mode_t ModeOf(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(NAME, REAL)                              \
  int NAME(const char* path, int flags, ...) {        \
    va_list arguments;                                \
    va_start(arguments, flags);                       \
    const mode_t mode = ModeOf(flags, arguments);     \
    va_end(arguments);                                \
    return OpenAs(REAL, AT_FDCWD, path, flags, mode); \
  }
#define OPENAT(NAME)                                       \
  int NAME(int folder, const char* path, int flags, ...) { \
    va_list arguments;                                     \
    va_start(arguments, flags);                            \
    const mode_t mode = ModeOf(flags, arguments);          \
    va_end(arguments);                                     \
    return OpenAs(#NAME, folder, path, flags, mode);       \
  }
OPEN(open, "openat")
OPEN(open64, "openat64")
OPENAT(openat)
OPENAT(openat64)

// What a write of `count` bytes may take, or -1.
static ssize_t Taken(const char* operation, int file, size_t count) {
  char path[PATH_MAX];
  PathOf(file, path);
  if (atomic_load(&g_disk_is_full) != 0 && IsBelow(path)) {
    atomic_store(&g_disk_is_full, 0);
    Report("%ld %s %s\n", atomic_fetch_add(g_calls, 1) + 1, operation, path);
    errno = ENOSPC;
    return -1;
  }
  if (!Fails(operation, path)) return (ssize_t)count;
  if (errno != 0) return -1;
  atomic_store(&g_disk_is_full, 1);
  return (ssize_t)(count / 2);
}

ssize_t write(int file, const void* data, size_t count) {
  const ssize_t taken = Taken("write", file, count);
  if (taken < 0) return -1;
  ssize_t (*real)(int, const void*, size_t) = (ssize_t(*)(int, const void*, size_t))Real("write");
  return real(file, data, (size_t)taken);
}

ssize_t pwrite(int file, const void* data, size_t count, off_t at) {
  const ssize_t taken = Taken("pwrite", file, count);
  if (taken < 0) return -1;
  ssize_t (*real)(int, const void*, size_t, off_t) =
      (ssize_t(*)(int, const void*, size_t, off_t))Real("pwrite");
  return real(file, data, (size_t)taken, at);
}

ssize_t read(int file, void* data, size_t count) {
  char path[PATH_MAX];
  PathOf(file, path);
  if (Fails("read", path)) {
    if (errno != 0) return -1;
    count = (count + 1) / 2;
  }
  ssize_t (*real)(int, void*, size_t) = (ssize_t(*)(int, void*, size_t))Real("read");
  return real(file, data, count);
}

#define ON_DESCRIPTOR(NAME, PARAMETERS, ARGUMENTS)       \
  int NAME PARAMETERS {                                  \
    char path[PATH_MAX];                                 \
    PathOf(file, path);                                  \
    if (Fails(#NAME, path)) {                            \
      if (errno == 0) errno = EIO;                       \
      return -1;                                         \
    }                                                    \
    int(*real) PARAMETERS = (int(*) PARAMETERS)Real(#NAME); \
    return real ARGUMENTS;                               \
  }
ON_DESCRIPTOR(fsync, (int file), (file))
ON_DESCRIPTOR(ftruncate, (int file, off_t length), (file, length))

#define ON_PATH(NAME, PARAMETERS, FOLDER, PATH, ARGUMENTS)  \
  int NAME PARAMETERS {                                     \
    char full[PATH_MAX];                                    \
    PathAt(FOLDER, PATH, full);                             \
    if (Fails(#NAME, full)) {                               \
      if (errno == 0) errno = EIO;                          \
      return -1;                                            \
    }                                                       \
    int(*real) PARAMETERS = (int(*) PARAMETERS)Real(#NAME); \
    return real ARGUMENTS;                                  \
  }
ON_PATH(rename, (const char* from, const char* to), AT_FDCWD, to, (from, to))
ON_PATH(renameat, (int old, const char* from, int folder, const char* to), folder, to,
        (old, from, folder, to))
ON_PATH(unlink, (const char* path), AT_FDCWD, path, (path))
ON_PATH(unlinkat, (int folder, const char* path, int flags), folder, path, (folder, path, flags))

void* mmap(void* address, size_t length, int protection, int flags, int file, off_t offset) {
  if (file >= 0) {
    char path[PATH_MAX];
    PathOf(file, path);
    if (Fails("mmap", path)) {
      if (errno == 0) errno = ENOMEM;
      return MAP_FAILED;
    }
  }
  void* (*real)(void*, size_t, int, int, int, off_t) =
      (void* (*)(void*, size_t, int, int, int, off_t))Real("mmap");
  return real(address, length, protection, flags, file, offset);
}
