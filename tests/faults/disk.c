/* A disk that notes what is not synced, fills up, turns read-only, or fails to sync.

   Loaded before the C library (LD_PRELOAD). Watches the files whose paths begin with FAULTS_FILES (a
   database, its -wal and -shm) and the directory they are in; everything else passes. disk.py tells what
   to do and reads the notes.

   FAULTS_NOTES   file that notes are appended to, each before what it is about is done
   FAULTS_TOLD    what disk.py tells, at any time: `struct told` below
*/

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* As in disk.py. */
enum state { WELL, FULL, NO_ROOM, READ_ONLY, UNSYNCED };

/* As in disk.py. */
struct told {
    int64_t state;
    int64_t cut_after; /* so many further notes the power goes, that is the process; 0: never */
};

/* As in disk.py. */
struct note {
    char kind; /* one of WRITE.. below */
    char unused[7];
    uint64_t inode;
    int64_t offset; /* of the write; the size after a truncation; the number of the sync */
    int64_t length; /* of the write */
    int64_t size;   /* of the file before */
    int64_t follow; /* bytes that follow: the file's old content there, or a path */
};

enum { WRITE = 'W', TRUNCATE = 'T', SYNC_BEGINS = 'B', SYNCED = 'S', MADE = 'M', REMOVED = 'R', STRANGE = 'X' };

enum watch { NOT_WATCHED, DATA, SHARED_MEMORY, DIRECTORY };

#define MOST_FILES 65536

static struct { char watch; uint64_t inode; } files[MOST_FILES]; /* by descriptor */
static char watched[4096], directory[4096], notes_path[4096];
static volatile struct told *told;
static int notes = -1;
static int64_t syncs;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER; /* so that notes stand in the order of the writes */

/* The C library's own function of this name. */
#define REAL(name)                                                                                           \
    ({                                                                                                       \
        static __typeof__(&name) found;                                                                      \
        if (!found) found = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                      \
        found;                                                                                               \
    })

static void fail(const char *what) {
    fprintf(stderr, "disk.c: %s: %s\n", what, strerror(errno));
    abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *prefix = getenv("FAULTS_FILES"), *to = getenv("FAULTS_NOTES"), *from = getenv("FAULTS_TOLD");
    if (!prefix || !to || !from) return;
    snprintf(watched, sizeof watched, "%s", prefix);
    snprintf(directory, sizeof directory, "%s", prefix);
    *strrchr(directory, '/') = 0;
    snprintf(notes_path, sizeof notes_path, "%s", to);
    int file = REAL(open)(from, O_RDWR | O_CLOEXEC);
    if (file < 0) fail(from);
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (told == MAP_FAILED) fail("mmap");
    close(file);
    notes = REAL(open)(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (notes < 0) fail(to);
}

static enum state state(void) { return told ? (enum state)told->state : WELL; }

static enum watch watch_of(int fd) { return fd >= 0 && fd < MOST_FILES ? files[fd].watch : NOT_WATCHED; }

static int is_watched(const char *path) { return *watched && !strncmp(path, watched, strlen(watched)); }

static int ends_in(const char *path, const char *end) {
    size_t length = strlen(path), tail = strlen(end);
    return length >= tail && !strcmp(path + length - tail, end);
}

static void append(const void *bytes, int64_t length) {
    for (const char *at = bytes; length > 0;) {
        ssize_t done = REAL(write)(notes, at, length);
        if (done < 0) fail("cannot write notes");
        at += done, length -= done;
    }
}

static void note(char kind, uint64_t inode, int64_t offset, int64_t length, int64_t size, const void *bytes,
                 int64_t follow) {
    if (told->cut_after > 0 && --told->cut_after == 0)
        for (;;) kill(getpid(), SIGKILL);
    struct note made = {kind, {0}, inode, offset, length, size, follow};
    append(&made, sizeof made);
    append(bytes, follow);
}

/* Something that disk.py cannot take back, which makes it refuse the notes. */
static void note_strange(const char *what) { note(STRANGE, 0, 0, 0, 0, what, strlen(what)); }

static int64_t size_of(int fd) {
    struct stat found;
    if (fstat(fd, &found)) fail("fstat");
    return found.st_size;
}

/* Note a change with the content from `from` to `to`, as far as there is any, that it replaces. */
static void note_change(char kind, int fd, int64_t offset, int64_t length, int64_t from, int64_t to) {
    int64_t size = size_of(fd), old = (to < size ? to : size) - from;
    char *bytes = NULL;
    if (old > 0) {
        bytes = malloc(old);
        if (!bytes || pread64(fd, bytes, old, from) != old) fail("cannot read what is about to be replaced");
    }
    note(kind, files[fd].inode, offset, length, size, bytes, old > 0 ? old : 0);
    free(bytes);
}

/* How many of the bytes may be written, or -1 and errno. */
static int64_t allowed(int fd, int64_t offset, int64_t length) {
    int64_t room = length;
    switch (state()) {
    case READ_ONLY:
        errno = EROFS;
        return -1;
    case NO_ROOM:
        room = 0;
        break;
    case FULL: /* what has its place may be written again */
        room = size_of(fd) - offset;
        break;
    default:
        break;
    }
    if (room <= 0 && length > 0) {
        errno = ENOSPC;
        return -1;
    }
    return room < length ? room : length;
}

static ssize_t write_at(int fd, const void *bytes, size_t length, int64_t offset) {
    pthread_mutex_lock(&one_at_a_time);
    ssize_t done = allowed(fd, offset, length);
    if (done >= 0) {
        if (files[fd].watch == DATA) note_change(WRITE, fd, offset, done, offset, offset + done);
        done = REAL(pwrite64)(fd, bytes, done, offset);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    if (!watch_of(fd)) return REAL(pwrite64)(fd, bytes, length, offset);
    return write_at(fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return pwrite64(fd, bytes, length, offset);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!watch_of(fd)) return REAL(write)(fd, bytes, length);
    ssize_t done = write_at(fd, bytes, length, lseek(fd, 0, SEEK_CUR));
    if (done > 0) lseek(fd, done, SEEK_CUR);
    return done;
}

int ftruncate64(int fd, off64_t length) {
    if (!watch_of(fd)) return REAL(ftruncate64)(fd, length);
    pthread_mutex_lock(&one_at_a_time);
    int64_t grows = length - size_of(fd);
    int done = 0;
    if (state() == READ_ONLY) errno = EROFS, done = -1;
    if (grows > 0 && (state() == FULL || state() == NO_ROOM)) errno = ENOSPC, done = -1;
    if (!done) {
        if (files[fd].watch == DATA) note_change(TRUNCATE, fd, length, 0, length, INT64_MAX);
        done = REAL(ftruncate64)(fd, length);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int sync_with(int (*really)(int), int fd) {
    enum watch watch = watch_of(fd);
    if (watch != DATA && watch != DIRECTORY) return really(fd);
    if (state() == UNSYNCED || state() == READ_ONLY) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&one_at_a_time);
    int64_t number = ++syncs;
    note(SYNC_BEGINS, files[fd].inode, number, 0, 0, NULL, 0);
    pthread_mutex_unlock(&one_at_a_time);
    int done = really(fd);
    if (done == 0) {
        pthread_mutex_lock(&one_at_a_time);
        note(SYNCED, files[fd].inode, number, 0, 0, NULL, 0);
        pthread_mutex_unlock(&one_at_a_time);
    }
    return done;
}

int fdatasync(int fd) { return sync_with(REAL(fdatasync), fd); }

int fsync(int fd) { return sync_with(REAL(fsync), fd); }

static int open_with(int (*really)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    int is_directory = *directory && !strcmp(path, directory);
    if (!is_watched(path) && !is_directory) return really(path, flags, mode);
    enum watch watch = is_directory ? DIRECTORY : ends_in(path, "-shm") ? SHARED_MEMORY : DATA;
    pthread_mutex_lock(&one_at_a_time);
    int is_there = access(path, F_OK) == 0, makes = (flags & O_CREAT) && !is_there, fd = -1;
    if (state() == READ_ONLY && (makes || (flags & O_ACCMODE) != O_RDONLY))
        errno = EROFS;
    else if ((state() == FULL || state() == NO_ROOM) && makes)
        errno = ENOSPC;
    else {
        if (makes && watch == DATA) note(MADE, 0, 0, 0, 0, path, strlen(path)); /* its inode is yet to come */
        if (is_there && watch == DATA && (flags & O_TRUNC)) note_strange("a file was emptied by open");
        fd = really(path, flags, mode);
    }
    if (fd >= MOST_FILES) fail("too many files");
    if (fd >= 0) {
        struct stat found;
        if (fstat(fd, &found)) fail("fstat");
        files[fd].inode = found.st_ino;
        files[fd].watch = watch;
    }
    pthread_mutex_unlock(&one_at_a_time);
    return fd;
}

#define MODE_OF(flags)                                                                                       \
    mode_t mode = 0;                                                                                         \
    if (flags & O_CREAT) {                                                                                   \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        mode = va_arg(rest, mode_t);                                                                         \
        va_end(rest);                                                                                        \
    }

int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_with(REAL(open64), path, flags, mode);
}

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_with(REAL(open), path, flags, mode);
}

int close(int fd) {
    if (watch_of(fd)) files[fd].watch = NOT_WATCHED;
    return REAL(close)(fd);
}

/* What is removed is kept beside the notes: a power cut may bring it back. */
int unlink(const char *path) {
    if (!is_watched(path)) return REAL(unlink)(path);
    if (state() == READ_ONLY) {
        errno = EROFS;
        return -1;
    }
    if (ends_in(path, "-shm")) return REAL(unlink)(path);
    pthread_mutex_lock(&one_at_a_time);
    struct stat found;
    int done = stat(path, &found);
    if (!done) {
        char kept[sizeof notes_path + 32];
        snprintf(kept, sizeof kept, "%s.%llu", notes_path, (unsigned long long)found.st_ino);
        if (link(path, kept)) fail(kept);
        note(REMOVED, found.st_ino, 0, 0, 0, path, strlen(path));
        done = REAL(unlink)(path);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

int rename(const char *from, const char *to) {
    if (is_watched(from) || is_watched(to)) note_strange("a file was renamed");
    return REAL(rename)(from, to);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    if (watch_of(fd) == DATA && (protection & PROT_WRITE) && (flags & MAP_SHARED))
        note_strange("a file was mapped to be written");
    return REAL(mmap64)(at, length, protection, flags, fd, offset);
}
