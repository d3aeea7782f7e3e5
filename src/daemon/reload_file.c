/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See reload_file.h. The process writes one head, the findings and the text into a file in memory and exits with 0; it
 * runs the same code with the same rights, so what it writes is believed but for its lengths. Called by reload.c.
 */
#include "daemon/reload_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/privilege.h"

#define RESULT_FD 3 /* the first beside the standard ones */

struct reload_file {
    pid_t reader;
    int pidfd;
    int result;
};

struct head {
    uint32_t findings, text; /* bytes of each, behind this one */
    bool usable;
    struct guard_fifo_owners owners;
};

/* Then the file's name and the text, each with its NUL. */
struct finding {
    uint32_t severity, line, column;
    uint32_t file, text; /* bytes of each */
};

/* --- the process --- */

static void add_finding(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                        const char *text)
{
    const struct finding finding = {
        .severity = severity,
        .line = line,
        .column = column,
        .file = (uint32_t)strlen(file) + 1,
        .text = (uint32_t)strlen(text) + 1,
    };

    fwrite(&finding, sizeof(finding), 1, context);
    fwrite(file, finding.file, 1, context);
    fwrite(text, finding.text, 1, context);
}

static bool write_all(const void *bytes, size_t length)
{
    return write(RESULT_FD, bytes, length) == (ssize_t)length; /* memory takes it all at once, or is used up */
}

/* Nothing of the guard's stays open: its ends of channels and its locks must close when it does. */
static void let_go_of_all(int result)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null >= 0 && fd < RESULT_FD; fd++)
        dup2(null, fd);
    if (result != RESULT_FD) /* only now: `null` may have that number */
        dup2(result, RESULT_FD);
    closefrom(RESULT_FD + 1);
}

static bool read_file(const struct daemon_dialect *dialect, const struct config_request *request)
{
    char *findings = NULL, *text = NULL;
    size_t findings_length = 0, text_length = 0;
    struct head head = {0};
    FILE *out = open_memstream(&findings, &findings_length);

    if (out == NULL)
        return false;
    struct config *config = dialect->read(*request, add_finding, out);

    if (fclose(out) != 0)
        return false;
    if (config != NULL) {
        out = open_memstream(&text, &text_length);
        if (out == NULL)
            return false;
        config_print(config, out);
        if (fclose(out) != 0)
            return false;
        head.usable = true;
        head.owners = guard_fifo_find_owners(config);
    }
    head.findings = (uint32_t)findings_length;
    head.text = (uint32_t)text_length;
    return write_all(&head, sizeof(head)) && write_all(findings, findings_length) && write_all(text, text_length);
}

static _Noreturn void reader_main(const struct daemon_dialect *dialect, const struct config_request *request,
                                  pid_t guard, int result)
{
    prctl(PR_SET_NAME, "evenkeel-reader");
    let_go_of_all(result);
    if (privilege_follow_parent(guard, SIGKILL) < 0)
        _exit(1);
    _exit(read_file(dialect, request) ? 0 : 1);
}

/* --- the guard's side --- */

int reload_file_open(const struct daemon_dialect *dialect, const struct config_request *request,
                     struct reload_file **out)
{
    struct reload_file *file = calloc(1, sizeof(*file));
    pid_t self = getpid();

    if (file == NULL)
        return -ENOMEM;
    *file = (struct reload_file){.pidfd = -1, .result = memfd_create("evenkeel-read", MFD_CLOEXEC)};
    if (file->result >= 0)
        file->reader = fork();
    if (file->result >= 0 && file->reader == 0)
        reader_main(dialect, request, self, file->result);
    if (file->reader > 0)
        file->pidfd = pidfd_open(file->reader, 0);
    int error = file->result < 0 || file->reader < 0 || file->pidfd < 0 ? -errno : 0;

    if (error == 0)
        *out = file;
    else
        reload_file_close(file);
    return error;
}

int reload_file_fd(const struct reload_file *file)
{
    return file->pidfd;
}

/* `length` more bytes from *at; NULL: there are not so many. */
static const char *take_bytes(const char **at, const char *end, size_t length)
{
    const char *bytes = *at;

    if (length > (size_t)(end - bytes))
        return NULL;
    *at += length;
    return bytes;
}

static const char *take_text(const char **at, const char *end, size_t length)
{
    const char *text = take_bytes(at, end, length);

    return text != NULL && length > 0 && text[length - 1] == '\0' ? text : NULL;
}

static bool take_findings(const char *at, const char *end, config_report *report, void *context)
{
    while (at < end) {
        const char *bytes = take_bytes(&at, end, sizeof(struct finding));
        struct finding finding;

        if (bytes == NULL)
            return false;
        memcpy(&finding, bytes, sizeof(finding));
        const char *file = take_text(&at, end, finding.file);
        const char *text = file != NULL ? take_text(&at, end, finding.text) : NULL;

        if (text == NULL)
            return false;
        report(context, finding.severity == CONFIG_ERROR ? CONFIG_ERROR : CONFIG_WARNING, file, finding.line,
               finding.column, text);
    }
    return true;
}

static bool take_result(const char *bytes, size_t size, config_report *report, void *context, char **text,
                        struct guard_fifo_owners *owners)
{
    const char *at = bytes, *end = bytes + size;
    const char *first = take_bytes(&at, end, sizeof(struct head));
    struct head head = {0};

    if (first != NULL)
        memcpy(&head, first, sizeof(head));
    const char *findings = first != NULL ? take_bytes(&at, end, head.findings) : NULL;
    const char *canonical = findings != NULL ? take_bytes(&at, end, head.text) : NULL;

    if (canonical == NULL || !take_findings(findings, canonical, report, context))
        return false;
    *owners = head.owners;
    *text = head.usable ? strndup(canonical, head.text) : NULL;
    return !head.usable || *text != NULL;
}

bool reload_file_take(const struct reload_file *file, config_report *report, void *context, char **text,
                      struct guard_fifo_owners *owners, char problem[static RELOAD_FILE_PROBLEM_MAX])
{
    siginfo_t info = {0};
    struct stat status;

    *text = NULL;
    snprintf(problem, RELOAD_FILE_PROBLEM_MAX, "out of memory");
    /* It is left to be reaped by reload_file_close. */
    if (waitid(P_PIDFD, (id_t)file->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_code != CLD_EXITED)
        snprintf(problem, RELOAD_FILE_PROBLEM_MAX, "the process that read it was ended by signal %d", info.si_status);
    if (info.si_code != CLD_EXITED || info.si_status != 0 || fstat(file->result, &status) < 0 || status.st_size == 0)
        return false;
    size_t size = (size_t)status.st_size;
    char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file->result, 0);

    if (bytes == MAP_FAILED)
        return false;
    bool good = take_result(bytes, size, report, context, text, owners);

    munmap(bytes, size);
    return good;
}

void reload_file_end(const struct reload_file *file)
{
    kill(file->reader, SIGKILL); /* its number is taken until it is reaped */
}

void reload_file_let_go(struct reload_file *file)
{
    if (file == NULL)
        return;
    if (file->pidfd >= 0)
        close(file->pidfd);
    if (file->result >= 0)
        close(file->result);
}

void reload_file_close(struct reload_file *file)
{
    if (file == NULL)
        return;
    if (file->reader > 0) {
        reload_file_end(file);
        waitpid(file->reader, NULL, WNOHANG);
    }
    reload_file_let_go(file);
    free(file);
}
