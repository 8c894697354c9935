/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/listener.h"

#include "host/systemd/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 }; /* the kernel cuts it to net.core.somaxconn */

enum { CLAIM_NAME_MAX = ADDRESS_PATH_MAX + sizeof ".lock" };

static void format_claim_name(const struct address *address, char out[CLAIM_NAME_MAX])
{
    (void)snprintf(out, CLAIM_NAME_MAX, "%s.lock", address->path);
}

/* True if the name still leads to this file: the last holder of a claim unlinks it. */
static bool is_at(int fd, const char *name)
{
    struct stat held;
    struct stat named;
    return fstat(fd, &held) == 0 && lstat(name, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/* The descriptor that holds the claim, or -errno. */
static int take_claim(const struct address *address)
{
    char name[CLAIM_NAME_MAX];
    format_claim_name(address, name);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return -errno;
    }
    int error = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
    if (error == 0 && is_at(fd, name)) {
        return fd;
    }
    close(fd);
    /* Unlinked in between: its last holder was listening until a moment ago. */
    return error == 0 || error == -EWOULDBLOCK ? -EADDRINUSE : error;
}

static void release_claim(int claim_fd, const struct address *address)
{
    char name[CLAIM_NAME_MAX];
    format_claim_name(address, name);
    (void)unlink(name); /* while it is locked; a file that stays does no harm */
    close(claim_fd);
}

/* True if a daemon accepts connections on the path now. */
static bool is_answered(const struct sockaddr_storage *at, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return true; /* not known: leave the path alone */
    }
    bool answers = connect(fd, (const struct sockaddr *)at, length) == 0 || errno == EAGAIN;
    close(fd);
    return answers;
}

/* Removes a socket that a dead daemon left. Another program may listen there without a claim. */
static int clear_path(const struct address *address, const struct sockaddr_storage *at,
                      socklen_t length)
{
    struct stat found;
    if (lstat(address->path, &found) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(found.st_mode) || is_answered(at, length)) {
        return -EADDRINUSE;
    }
    return unlink(address->path) < 0 && errno != ENOENT ? -errno : 0;
}

/* With the claim to the path held. */
static int bind_path(struct listener *listener, mode_t mode)
{
    struct sockaddr_storage at;
    socklen_t length = address_to_sockaddr(&listener->address, &at);
    const char *path = listener->address.path;
    int error = clear_path(&listener->address, &at, length);
    if (error < 0) {
        return error;
    }
    /* The file is made without any permission, so that nobody connects before its mode is right. */
    mode_t mask = umask(0777);
    error = bind(listener->fd, (const struct sockaddr *)&at, length) < 0 ? -errno : 0;
    umask(mask);
    struct stat file = {0};
    if (error == 0 && (chmod(path, mode) < 0 || lstat(path, &file) < 0)) {
        error = -errno;
        (void)unlink(path); /* the first error is reported */
    }
    listener->device = file.st_dev;
    listener->inode = file.st_ino;
    return error;
}

static int bind_listener(struct listener *listener, mode_t mode)
{
    if (listener->address.family != AF_UNIX) {
        struct sockaddr_storage at;
        socklen_t length = address_to_sockaddr(&listener->address, &at);
        return bind(listener->fd, (const struct sockaddr *)&at, length) < 0 ? -errno : 0;
    }
    int claim_fd = take_claim(&listener->address);
    if (claim_fd < 0) {
        return claim_fd;
    }
    int error = bind_path(listener, mode);
    if (error < 0) {
        release_claim(claim_fd, &listener->address);
    } else {
        listener->claim_fd = claim_fd;
    }
    return error;
}

static void close_listener(struct listener *listener)
{
    const char *path = listener->address.path;
    struct stat file;
    if (listener->claim_fd >= 0) {
        if (lstat(path, &file) == 0 && file.st_dev == listener->device &&
            file.st_ino == listener->inode) {
            (void)unlink(path); /* one that stays is taken over at the next start */
        }
        release_claim(listener->claim_fd, &listener->address);
    }
    if (listener->fd >= 0) {
        close(listener->fd);
    }
}

static const char *explain_listen(int error)
{
    switch (error) {
    case -EADDRINUSE:
        return "already in use: another daemon answers there, or the path is not a socket";
    case -EAFNOSUPPORT:
        return "no AF_VSOCK in this kernel: load the module vhost_vsock or vsock_loopback";
    case -EACCES:
    case -EPERM:
        return "permission denied: check the owner and mode of the folder";
    case -ENOENT:
        return "its folder does not exist: make it, or name another path";
    default:
        return strerror(-error);
    }
}

/* A path on which no daemon answers is taken over; else -EADDRINUSE. */
static int open_listener(const struct address *address, mode_t unix_mode, struct listener *ret,
                         char problem[CONF_PROBLEM_MAX])
{
    struct listener made = {.address = *address, .claim_fd = -1};
    made.fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = made.fd < 0 ? -errno : bind_listener(&made, unix_mode);
    if (error == 0 && listen(made.fd, BACKLOG) < 0) {
        error = -errno;
    }
    if (error < 0) {
        char text[ADDRESS_TEXT_MAX];
        address_format(address, text);
        (void)snprintf(problem, CONF_PROBLEM_MAX, "cannot listen on %s: %s", text,
                       explain_listen(error));
        close_listener(&made);
        return error;
    }
    *ret = made;
    return 0;
}

/* -1: none. */
static int read_option(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/* What is wrong with a socket that systemd passed; NULL: nothing. */
static const char *check_socket(int fd)
{
    int family = read_option(fd, SO_DOMAIN);
    if (family != AF_VSOCK && family != AF_UNIX) {
        return "not a socket of AF_VSOCK or AF_UNIX; allowed: ListenStream=";
    }
    if (read_option(fd, SO_TYPE) != SOCK_STREAM) {
        return "not a stream socket; allowed: ListenStream=";
    }
    return read_option(fd, SO_ACCEPTCONN) == 1 ? NULL : "it does not listen; allowed: Accept=no";
}

/* Where a socket is bound; an abstract Unix name is shown with @ before it. */
static void read_address(int fd, struct address *ret)
{
    union {
        struct sockaddr_storage any;
        struct sockaddr_vm vsock;
        struct sockaddr_un local;
    } at = {0};
    socklen_t length = sizeof at;
    (void)getsockname(fd, (struct sockaddr *)&at, &length); /* cannot fail: it is a socket */
    *ret = (struct address){.family = at.any.ss_family};
    if (ret->family == AF_VSOCK) {
        ret->cid = at.vsock.svm_cid;
        ret->port = at.vsock.svm_port;
        return;
    }
    bool abstract = at.local.sun_path[0] == '\0';
    ret->path[0] = '@'; /* overwritten unless it is abstract */
    size_t room = sizeof ret->path - 1 - abstract;
    memcpy(ret->path + abstract, at.local.sun_path + abstract,
           strnlen(at.local.sun_path + abstract, room));
}

/* A socket that systemd made and passed; its file stays systemd's. One that is refused ends with the
 * process. */
static int adopt_listener(int fd, struct listener *ret, char problem[CONF_PROBLEM_MAX])
{
    const char *why = check_socket(fd);
    int flags = why == NULL ? fcntl(fd, F_GETFL) : 0;
    int error = why != NULL ? -EINVAL : 0;
    if (error == 0 && (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
        error = -errno;
        why = strerror(errno);
    }
    if (error < 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "descriptor %d that systemd passed: %s", fd, why);
        return error;
    }
    *ret = (struct listener){.fd = fd, .claim_fd = -1};
    read_address(fd, &ret->address);
    return 0;
}

static bool contains(const struct conf_numbers *numbers, uint32_t wanted)
{
    for (size_t i = 0; i < numbers->count; i++) {
        if (numbers->items[i] == wanted) {
            return true;
        }
    }
    return false;
}

static bool uid_is_served(const struct conf *conf, uid_t uid)
{
    const struct conf_numbers *uids = &conf->listen.unix_uids;
    return uids->count == 0 ? uid == 0 || uid == geteuid() : contains(uids, uid);
}

int listener_accept(const struct listener *listener, const struct conf *conf, struct peer *ret)
{
    struct sockaddr_vm from = {.svm_cid = VMADDR_CID_ANY};
    bool is_unix = listener->address.family == AF_UNIX;
    socklen_t length = sizeof from;
    int fd = accept4(listener->fd, is_unix ? NULL : (struct sockaddr *)&from,
                     is_unix ? NULL : &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    struct peer peer = {.cid = from.svm_cid, .allowed = true};
    if (is_unix) {
        struct ucred who = {.uid = (uid_t)-1};
        socklen_t size = sizeof who;
        peer.cid = conf->listen.unix_cid;
        peer.allowed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
                       uid_is_served(conf, who.uid);
    }
    peer.allowed = peer.allowed && contains(&conf->listen.allowed_cids, peer.cid);
    *ret = peer;
    return fd;
}

static int open_address(const struct conf *conf, const char *text, struct listener *ret,
                        char problem[CONF_PROBLEM_MAX])
{
    struct address address;
    const char *why;
    int error = address_parse(text, ADDRESS_LISTEN, &address, &why);
    if (error < 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s: %s", text, why);
        return error;
    }
    return open_listener(&address, conf->listen.unix_mode, ret, problem);
}

static int open_all(const struct conf *conf, size_t wanted, struct listener_set *listener_set,
                    char problem[CONF_PROBLEM_MAX])
{
    listener_set->listeners = calloc(wanted, sizeof *listener_set->listeners);
    if (listener_set->listeners == NULL) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "out of memory");
        return -ENOMEM;
    }
    int error = 0;
    while (error == 0 && listener_set->count < wanted) {
        size_t index = listener_set->count;
        struct listener *next = &listener_set->listeners[index];
        error = listener_set->passed
                    ? adopt_listener(SERVICE_PASSED_FIRST + (int)index, next, problem)
                    : open_address(conf, conf->listen.address.items[index], next, problem);
        listener_set->count += error == 0;
    }
    return error;
}

int listener_set_open(const struct conf *conf, struct listener_set *ret,
                      char problem[CONF_PROBLEM_MAX])
{
    int passed = notify_passed_sockets();
    if (passed < 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "cannot take the sockets that systemd passed: %s",
                       strerror(-passed));
        return passed;
    }
    struct listener_set listener_set = {.passed = passed > 0};
    size_t wanted = listener_set.passed ? (size_t)passed : conf->listen.address.count;
    int error = open_all(conf, wanted, &listener_set, problem);
    if (error < 0) {
        listener_set_close(&listener_set);
        return error;
    }
    *ret = listener_set;
    return 0;
}

void listener_set_close(struct listener_set *listener_set)
{
    for (size_t i = 0; i < listener_set->count; i++) {
        close_listener(&listener_set->listeners[i]);
    }
    free(listener_set->listeners);
    *listener_set = (struct listener_set){0};
}

void listener_set_describe(const struct listener_set *listener_set, char *out, size_t size)
{
    size_t length = (size_t)snprintf(out, size, "Listening on");
    for (size_t i = 0; i < listener_set->count && length < size; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(&listener_set->listeners[i].address, text);
        length += (size_t)snprintf(out + length, size - length, "%s %s", i > 0 ? "," : "", text);
    }
}
