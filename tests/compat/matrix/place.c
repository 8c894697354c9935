/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include "process.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 3000, PAUSE_MS = 20, TREE_DEPTH = 8, CONFIGURATION_MAX = 8192 };

extern char **environ;

static const char installer[] = "#!/bin/sh\n"
                                "echo \"$(sha256sum <\"$1\" | cut -d' ' -f1)\" >>%s/installed\n";
static const char hsm[] = "#!/bin/sh\n"
                          "test \"$3\" = attach && echo 'done: attached' ||\n"
                          "echo 'unavailable: no HSM is plugged in'\n";
static const char reboot[] = "#!/bin/sh\necho reboot >>%s/rebooted\n";

/* Loopback is allowed, and nothing is tried twice. */
static const char configuration[] =
    "[listen]\naddress = unix:%1$s/host.sock\n"
    "[console]\ndevices = %1$s/console\ninterval_seconds = 0.1\nskip_while_running =\n"
    "[version]\nfile = %1$s/version.txt\n"
    "[steps]\ninstall_program = %2$s/vsock_host-install\nhsm_program = %1$s/hsm\n"
    "[upgrade]\ndirectory = %1$s/upgrade\nkeep_free = 1M\nretries = 0\nretry_seconds = 0.1\n"
    "refused_addresses = link-local multicast unspecified\n"
    "[install]\ndirectory = %1$s/install\ninstaller = %1$s/installer\ninstaller_seconds = 60\n"
    "[reboot]\nmethod = command\ncommand = %1$s/reboot\n"
    "%3$s";

__attribute__((noreturn)) static void give_up(const char *what)
{
    perror(what);
    abort();
}

void place_path(const struct place *place, const char *name, char ret[PLACE_PATH_MAX])
{
    snprintf(ret, PLACE_PATH_MAX, "%s/%s", place->folder, name);
}

static void write_file(const struct place *place, const char *name, const char *text, mode_t mode)
{
    char path[PLACE_PATH_MAX];
    place_path(place, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        give_up(path);
    }
    close(fd);
}

void place_make(struct place *place)
{
    char text[512];
    *place = (struct place){.folder = "/tmp/vm-XXXXXX", .daemon = -1};
    if (mkdtemp(place->folder) == NULL) {
        give_up(place->folder);
    }
    place_path(place, "host.sock", place->socket);
    write_file(place, "version.txt", "1.2.3\n", S_IRUSR | S_IWUSR);
    write_file(place, "console", "", S_IRUSR | S_IWUSR);
    snprintf(text, sizeof text, installer, place->folder);
    write_file(place, "installer", text, S_IRWXU);
    snprintf(text, sizeof text, reboot, place->folder);
    write_file(place, "reboot", text, S_IRWXU);
    write_file(place, "hsm", hsm, S_IRWXU);
    if (setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1) != 0) {
        give_up("setenv"); /* no daemon of a test reaches the machine's own bus */
    }
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status; /* the shape is nftw's */
    (void)type;
    (void)where;
    return remove(path);
}

void place_remove(struct place *place)
{
    if (nftw(place->folder, remove_entry, TREE_DEPTH, FTW_DEPTH | FTW_PHYS) < 0) {
        perror(place->folder);
    }
}

/* True once a connection is taken. */
static bool is_served(const struct place *place)
{
    if (access(place->socket, F_OK) < 0) {
        return false;
    }
    struct peer_link link = peer_link_connect(place->socket);
    bool served = link.fd >= 0;
    peer_link_close(&link);
    return served;
}

static void spawn(struct place *place)
{
    char program[] = BIN_DIRECTORY "/vsock_host";
    char option[] = "--config";
    char log[] = "--log";
    char target[] = "stderr";
    char path[PLACE_PATH_MAX];
    char log_path[PLACE_PATH_MAX];
    char *const arguments[] = {program, option, path, log, target, NULL};
    posix_spawn_file_actions_t actions;
    place_path(place, "vsock_host.conf", path);
    place_path(place, "log", log_path);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_path,
                                     O_WRONLY | O_CREAT | O_APPEND, S_IRUSR | S_IWUSR);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (posix_spawn(&place->daemon, program, &actions, NULL, arguments, environ) != 0) {
        give_up(program);
    }
    posix_spawn_file_actions_destroy(&actions);
}

static void show_log(const struct place *place)
{
    struct octets log;
    place_read(place, "log", &log);
    fprintf(stderr, "the log of vsock_host:\n%.*s", (int)log.length, (const char *)log.bytes);
}

void place_start(struct place *place, const char *more)
{
    char text[CONFIGURATION_MAX];
    snprintf(text, sizeof text, configuration, place->folder, BIN_DIRECTORY, more);
    write_file(place, "vsock_host.conf", text, S_IRUSR | S_IWUSR);
    spawn(place);
    for (unsigned i = 0; i < TRIES && waitpid(place->daemon, NULL, WNOHANG) == 0; i++) {
        if (is_served(place)) {
            return;
        }
        poll(NULL, 0, PAUSE_MS);
    }
    show_log(place);
    give_up("vsock_host did not become ready");
}

bool place_stop(struct place *place)
{
    struct octets log;
    int status = 0;
    kill(place->daemon, SIGTERM);
    pid_t ended = 0;
    for (unsigned i = 0; i < TRIES && ended == 0; i++) {
        ended = waitpid(place->daemon, &status, WNOHANG);
        if (ended == 0) {
            poll(NULL, 0, PAUSE_MS);
        }
    }
    if (ended == 0) {
        kill(place->daemon, SIGKILL);
        waitpid(place->daemon, &status, 0);
    }
    place->daemon = -1;
    place_read(place, "log", &log);
    octets_add(&log, "", 1);
    if (status == 0 && process_report((const char *)log.bytes) == NULL) {
        return true;
    }
    fprintf(stderr, "vsock_host ended with the wait status 0x%x\n", (unsigned)status);
    show_log(place);
    return false;
}

void place_read(const struct place *place, const char *name, struct octets *ret)
{
    char path[PLACE_PATH_MAX];
    uint8_t bytes[OCTETS_MAX / 2];
    octets_clear(ret);
    place_path(place, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
    if (got > 0) {
        octets_add(ret, bytes, (size_t)got);
    }
    if (fd >= 0) {
        close(fd);
    }
}

bool place_wait_lines(const struct place *place, const char *name, unsigned lines)
{
    for (unsigned i = 0; i < TRIES; i++) {
        struct octets content;
        unsigned found = 0;
        place_read(place, name, &content);
        for (size_t at = 0; at < content.length; at++) {
            found += content.bytes[at] == '\n';
        }
        if (found >= lines) {
            return true;
        }
        poll(NULL, 0, PAUSE_MS);
    }
    return false;
}
