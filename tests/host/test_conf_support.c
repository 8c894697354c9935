/* SPDX-License-Identifier: Apache-2.0 */
#include "host/test_conf_support.h"

#include <CUnit/CUnit.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

void sandbox_enter(void)
{
    snprintf(folder, sizeof folder, "/tmp/vsock-conf-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
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
    CU_ASSERT_EQUAL_FATAL(chdir("/"), 0);
    CU_ASSERT_EQUAL(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void sandbox_write_bytes(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL_FATAL(fwrite(bytes, 1, length, file), length);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
}

void sandbox_write(const char *path, const char *text)
{
    sandbox_write_bytes(path, text, strlen(text));
}

void sandbox_make_folder(const char *path)
{
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
}

struct conf *sandbox_load(void)
{
    struct conf *conf = NULL;
    char problem[CONF_PROBLEM_MAX] = "";
    int result = conf_load("main.conf", NULL, &conf, problem);
    if (result != 0) {
        fprintf(stderr, "\n  %s\n", problem);
    }
    CU_ASSERT_EQUAL_FATAL(result, 0);
    return conf;
}

const char *sandbox_load_problem(char *const listen[])
{
    static char problem[CONF_PROBLEM_MAX];
    struct conf *conf = NULL;
    if (conf_load("main.conf", listen, &conf, problem) == 0) {
        problem[0] = '\0';
    } else {
        CU_ASSERT_PTR_NULL(conf);
        CU_ASSERT_PTR_NULL(strchr(problem, '\n'));
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
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    CU_ASSERT_EQUAL(conf_dump(conf, stream), 0);
    CU_ASSERT_EQUAL_FATAL(fclose(stream), 0);
    return text;
}
