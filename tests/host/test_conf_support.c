/* SPDX-License-Identifier: Apache-2.0 */
#include "host/test_conf_support.h"

#include "support/check.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

void sandbox_enter(void)
{
    snprintf(folder, sizeof folder, "/tmp/vsock-conf-XXXXXX");
    REQUIRE_NOT_NULL(mkdtemp(folder));
    REQUIRE_EQUAL(chdir(folder), 0);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void sandbox_leave(void)
{
    REQUIRE_EQUAL(chdir("/"), 0);
    CHECK_EQUAL(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void sandbox_write_bytes(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    REQUIRE_NOT_NULL(file);
    REQUIRE_EQUAL(fwrite(bytes, 1, length, file), length);
    REQUIRE_EQUAL(fclose(file), 0);
}

void sandbox_write(const char *path, const char *text)
{
    sandbox_write_bytes(path, text, strlen(text));
}

void sandbox_make_folder(const char *path)
{
    REQUIRE_EQUAL(mkdir(path, 0700), 0);
}

struct conf *sandbox_load(void)
{
    struct conf *conf = NULL;
    char problem[CONF_PROBLEM_MAX] = "";
    int result = conf_load("main.conf", NULL, &conf, problem);
    if (result != 0) {
        fprintf(stderr, "\n  %s\n", problem);
    }
    REQUIRE_EQUAL(result, 0);
    return conf;
}

const char *sandbox_load_problem(char *const listen[])
{
    static char problem[CONF_PROBLEM_MAX];
    struct conf *conf = NULL;
    if (conf_load("main.conf", listen, &conf, problem) == 0) {
        problem[0] = '\0';
    } else {
        CHECK_NULL(conf);
        CHECK_NULL(strchr(problem, '\n'));
    }
    conf_free(conf);
    return problem;
}

const char *sandbox_problem(const char *text)
{
    sandbox_write("main.conf", text);
    return sandbox_load_problem(NULL);
}

char *sandbox_dump(const struct conf *conf)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    REQUIRE_NOT_NULL(stream);
    CHECK_EQUAL(conf_dump(conf, stream), 0);
    REQUIRE_EQUAL(fclose(stream), 0);
    return text;
}
