/* SPDX-License-Identifier: Apache-2.0 */
/* usage: guest_agent PORT: runs in a GuestOS what guest.py asks for over a virtio port. It is one small
 * program, since in an emulated machine inside an emulated machine each fork and exec takes long.
 *
 * A request:  ID KIND NAME BYTES\n and that many bytes
 *     run     runs the argument vector (each argument ends with a NUL), waits for it and answers
 *     begin   runs it in the background, as NAME
 *     result  what NAME wrote and its exit status, or no answer yet (status -1)
 *     put     writes the bytes to the file NAME, executable
 * An answer:  ID STATUS OUT ERR\n, OUT bytes of stdout and ERR bytes of stderr
 * A request that cannot be read ends the agent, and so the guest. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORD_MAX = 64,
    PATH_BYTES = 128,
    BODY_MAX = 8 << 20,
    OUTPUT_MAX = 64 << 10,
    ARGUMENTS_MAX = 32
};

struct request {
    char id[WORD_MAX];
    char kind[WORD_MAX];
    char name[WORD_MAX];
    size_t length;
    char *body;
};

struct job { /* in the background; one at a time is enough for the tests, some more are kept */
    char name[WORD_MAX];
    pid_t pid;
    int status;
};

extern char **environ;
static struct job jobs[16];

static void must(int good, const char *what)
{
    if (!good) {
        perror(what);
        exit(1);
    }
}

/* The other end of a port comes and goes: until it is there, reading gives nothing at once. */
static void read_all(int port, char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = read(port, bytes, length);
        if (count > 0) {
            bytes += count;
            length -= (size_t)count;
        } else {
            must(count == 0 || errno == EINTR || errno == EAGAIN, "read");
            (void)usleep(50000);
        }
    }
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        must(count >= 0 || errno == EINTR || errno == EAGAIN, "write");
        bytes += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
}

static void read_request(int port, struct request *ret)
{
    char line[4 * WORD_MAX];
    size_t length = 0;
    do {
        must(length + 1 < sizeof line, "a line too long");
        read_all(port, line + length, 1);
    } while (line[length++] != '\n');
    line[length] = '\0';
    char length_text[WORD_MAX];
    must(sscanf(line, "%63s %63s %63s %63s", ret->id, ret->kind, ret->name, length_text) == 4,
         "a bad request");
    ret->length = strtoul(length_text, NULL, 10);
    must(ret->length <= BODY_MAX, "a request too long");
    ret->body = calloc(1, ret->length + 1);
    must(ret->body != NULL, "memory");
    read_all(port, ret->body, ret->length);
}

static const char *output_path(const char *name, const char *stream, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "/tmp/%s.%s", name, stream);
    return path;
}

static pid_t start(const struct request *request)
{
    char out[PATH_BYTES];
    char err[PATH_BYTES];
    char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    size_t count = 0;
    for (char *at = request->body; at < request->body + request->length && count < ARGUMENTS_MAX;
         at += strlen(at) + 1) {
        arguments[count++] = at;
    }
    if (arguments[0] == NULL) {
        return -1;
    }
    posix_spawn_file_actions_t actions;
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, 1, output_path(request->name, "out", out),
                                           flags, 0600);
    (void)posix_spawn_file_actions_addopen(&actions, 2, output_path(request->name, "err", err),
                                           flags, 0600);
    pid_t pid = -1;
    int error = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? pid : -1;
}

static int status_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static size_t load(const char *name, const char *stream, char bytes[OUTPUT_MAX])
{
    char path[PATH_BYTES];
    size_t length = 0;
    FILE *file = fopen(output_path(name, stream, path), "re");
    if (file != NULL) {
        length = fread(bytes, 1, OUTPUT_MAX, file);
        (void)fclose(file); /* it was only read */
    }
    return length;
}

static void answer(int port, const struct request *request, int status, const char *from)
{
    static char out[OUTPUT_MAX];
    static char err[OUTPUT_MAX];
    char head[4 * WORD_MAX];
    size_t out_length = from != NULL ? load(from, "out", out) : 0;
    size_t err_length = from != NULL ? load(from, "err", err) : 0;
    int length =
        snprintf(head, sizeof head, "%s %d %zu %zu\n", request->id, status, out_length, err_length);
    write_all(port, head, (size_t)length);
    write_all(port, out, out_length);
    write_all(port, err, err_length);
}

static void run(int port, const struct request *request)
{
    int status = 0;
    pid_t pid = start(request);
    if (pid > 0) {
        must(waitpid(pid, &status, 0) == pid, "waitpid");
    }
    answer(port, request, pid > 0 ? status_of(status) : 127, request->name);
}

static struct job *find(const char *name)
{
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        if (strcmp(jobs[i].name, name) == 0) {
            return &jobs[i];
        }
    }
    return NULL;
}

static void begin(int port, const struct request *request)
{
    struct job *job = find(request->name);
    if (job == NULL) {
        job = find("");
    }
    must(job != NULL, "too many in the background");
    *job = (struct job){.pid = start(request), .status = -1};
    (void)snprintf(job->name, sizeof job->name, "%s", request->name);
    answer(port, request, job->pid > 0 ? 0 : 127, NULL);
}

static void result(int port, const struct request *request)
{
    struct job *job = find(request->name);
    int status = 0;
    if (job != NULL && job->status < 0 && waitpid(job->pid, &status, WNOHANG) == job->pid) {
        job->status = status_of(status);
    }
    answer(port, request, job != NULL ? job->status : 127, request->name);
}

static void put(int port, const struct request *request)
{
    int fd = open(request->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    must(fd >= 0, request->name);
    write_all(fd, request->body, request->length);
    must(close(fd) == 0, request->name);
    answer(port, request, 0, NULL);
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*serve)(int port, const struct request *request);
    } kinds[] = {{"run", run}, {"begin", begin}, {"result", result}, {"put", put}};
    int port = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    must(port >= 0, "usage: guest_agent PORT");
    while (1) {
        struct request request;
        read_request(port, &request);
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            if (strcmp(request.kind, kinds[i].name) == 0) {
                kinds[i].serve(port, &request);
            }
        }
        free(request.body);
    }
}
