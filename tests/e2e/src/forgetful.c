/* Notes what one process has synced below a folder, so that a test can take the rest away, as a loss of power does.
 *
 * FORGETFUL_FOLDER is watched. In FORGETFUL_NOTES, `content/KEY` is a file as of its last sync, and `names/PATH` holds the
 * key of the file that is sure to have that name: its own sync sees to that, and that of its folder, which also makes
 * sure of names that are gone. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES 64
#define PATH_BYTES (2 * PATH_MAX)
#define COPY_BYTES 65536

static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;

static void give_up(const char *what, const char *path) {
    fprintf(stderr, "forgetful: %s %s: %s\n", what, path, strerror(errno));
    abort();
}

/* Inode numbers are used again: the time at which the file was made belongs to its key. */
static void key_of(const char *path, char *key) {
    struct statx seen;
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &seen) != 0) give_up("cannot look at", path);
    snprintf(key, KEY_BYTES, "%llu-%lld-%u", (unsigned long long)seen.stx_ino, (long long)seen.stx_btime.tv_sec,
             seen.stx_btime.tv_nsec);
}

static void make_folders(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
}

static void note_name(const char *notes, const char *name, const char *key) {
    char path[PATH_BYTES], draft[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/names/%s", notes, name);
    snprintf(draft, sizeof draft, "%s/draft", notes);
    make_folders(path);
    FILE *file = fopen(draft, "w");
    if (!file || fputs(key, file) < 0 || fclose(file) != 0 || rename(draft, path) != 0) give_up("cannot note", path);
}

/* Logs only grow: what is new is added. Everything else is copied whole. */
static void note_content(const char *notes, const char *source, const char *name, const char *key) {
    char path[PATH_BYTES], draft[PATH_BYTES + 8], bytes[COPY_BYTES];
    snprintf(path, sizeof path, "%s/content/%s", notes, key);
    make_folders(path);
    const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    size_t length = strlen(base);
    int grows = strncmp(base, "MANIFEST", 8) == 0 || (length > 4 && strcmp(base + length - 4, ".log") == 0);
    snprintf(draft, sizeof draft, "%s/draft", notes);
    int from = open(source, O_RDONLY), to = open(grows ? path : draft, O_WRONLY | O_CREAT | (grows ? O_APPEND : O_TRUNC), 0666);
    if (from < 0 || to < 0) give_up("cannot copy", source);
    if (grows && lseek(from, lseek(to, 0, SEEK_END), SEEK_SET) < 0) give_up("cannot read", source);
    ssize_t count;
    while ((count = read(from, bytes, sizeof bytes)) > 0)
        if (write(to, bytes, count) != count) give_up("cannot write", path);
    close(from);
    close(to);
    if (!grows && rename(draft, path) != 0) give_up("cannot write", path);
}

static int is_file(const char *path) {
    struct stat seen;
    return lstat(path, &seen) == 0 && S_ISREG(seen.st_mode);
}

static void note_folder(const char *folder, const char *notes, const char *name) {
    char path[PATH_BYTES], inner[PATH_BYTES + 256], key[KEY_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    DIR *open_folder = opendir(path);
    if (!open_folder) give_up("cannot list", path);
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (!is_file(inner)) continue;
        key_of(inner, key);
        snprintf(inner, sizeof inner, "%s/%s", name, entry->d_name);
        note_name(notes, inner, key);
    }
    closedir(open_folder);
    snprintf(path, sizeof path, "%s/names/%s", notes, name);
    if (!(open_folder = opendir(path))) return;
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        snprintf(inner, sizeof inner, "%s/%s/%s", folder, name, entry->d_name);
        if (is_file(inner)) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (is_file(inner)) unlink(inner);
    }
    closedir(open_folder);
}

static void note(int descriptor) {
    const char *folder = getenv("FORGETFUL_FOLDER"), *notes = getenv("FORGETFUL_NOTES");
    char link[64], path[PATH_MAX], key[KEY_BYTES];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || !notes || length < 0) return;
    path[length] = 0;
    size_t above = strlen(folder);
    if (strncmp(path, folder, above) != 0 || (path[above] != '/' && path[above] != 0)) return;
    const char *name = path[above] ? path + above + 1 : ".";
    struct stat seen;
    /* A file without a name is gone after a loss of power, whatever is in it. */
    if (lstat(path, &seen) != 0) return;
    if (S_ISDIR(seen.st_mode)) {
        note_folder(folder, notes, name);
    } else if (S_ISREG(seen.st_mode)) {
        key_of(path, key);
        note_content(notes, path, name, key);
        note_name(notes, name, key);
    }
}

static int synced(const char *function, int descriptor) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, function);
    int result = real(descriptor), error = errno;
    if (result == 0) {
        pthread_mutex_lock(&noting);
        note(descriptor);
        pthread_mutex_unlock(&noting);
    }
    errno = error;
    return result;
}

int fsync(int descriptor) { return synced("fsync", descriptor); }
int fdatasync(int descriptor) { return synced("fdatasync", descriptor); }
