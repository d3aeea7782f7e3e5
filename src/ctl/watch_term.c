/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking and giving back the terminal (see watch_term.h). `taken` is a global because a crash is told to a handler that
 * gets no argument. Called by cmd_watch.c.
 */
#include "ctl/watch_term.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/check.h"

/* The alternate screen, no cursor, no wrapping at the edge; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

static const int asked_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static struct {
    volatile sig_atomic_t taken;
    struct termios before;
} terminal;

bool watch_term_is_usable(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}

/* Only what a signal handler may call. */
static void give_back(void)
{
    if (!terminal.taken)
        return;
    terminal.taken = 0;
    (void)!write(STDOUT_FILENO, LEAVE, sizeof(LEAVE) - 1);
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}

static void take(void)
{
    struct termios raw;

    if (terminal.taken || tcgetattr(STDIN_FILENO, &terminal.before) != 0)
        return;
    raw = terminal.before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN); /* ISIG stays: Ctrl-C and Ctrl-Z are signals as ever */
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    terminal.taken = 1;
    (void)!write(STDOUT_FILENO, ENTER, sizeof(ENTER) - 1);
}

/* The default action comes back by SA_RESETHAND, and ends us with the signal's own status. */
static void on_crash(int number)
{
    give_back();
    raise(number);
}

static void watch_crashes(void)
{
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LENGTH(crash_signals); i++)
        sigaction(crash_signals[i], &action, NULL);
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LENGTH(asked_signals); i++)
        sigaddset(&set, asked_signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -errno;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

int watch_term_open(void)
{
    int fd = open_signals();

    if (fd < 0)
        return fd;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN); /* giving the terminal back must work from the background too */
    atexit(give_back);
    watch_crashes();
    take();
    if (terminal.taken)
        return fd;
    close(fd);
    return -ENOTTY;
}

void watch_term_close(void)
{
    give_back();
}

static enum watch_term_event stop(void)
{
    give_back();
    kill(getpid(), SIGSTOP);
    take();
    return WATCH_TERM_RESIZED;
}

static enum watch_term_event take_signal(int number)
{
    switch (number) {
    case SIGTSTP:
        return stop();
    case SIGCONT: /* somebody else may have had the terminal */
        give_back();
        take();
        return WATCH_TERM_RESIZED;
    case SIGWINCH:
        return WATCH_TERM_RESIZED;
    default:
        return WATCH_TERM_END;
    }
}

enum watch_term_event watch_term_signal(int fd, int *signal)
{
    enum watch_term_event event = WATCH_TERM_NOTHING;
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        enum watch_term_event one = take_signal((int)info.ssi_signo);

        if (one == WATCH_TERM_END)
            *signal = (int)info.ssi_signo;
        event = one > event ? one : event;
    }
    return event;
}

bool watch_term_write(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = write(STDOUT_FILENO, bytes, length);

        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0) {
            bytes += count;
            length -= (size_t)count;
        }
    }
    return true;
}
