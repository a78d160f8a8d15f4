/*
 * Viewers of one live HLS stream, at their own pace, from one process: each asks for the playlist every PERIOD_MS on a connection of its
 * own and fetches every segment that is new in it. The bytes of segments are counted and dropped in the kernel (MSG_TRUNC), so that one
 * core can be a thousand viewers and the figures are the server's.
 *
 *   cc -O2 -o viewers viewers.c
 *   ./viewers ADDRESS PORT /hls/STREAM.m3u8 VIEWERS SECONDS     prints one line of JSON
 *
 * A playlist's time runs from the moment it was due, not sent: a late answer makes the next one late, and that has to show. A segment's
 * runs from its request. Both end with the last byte.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_MS 2000
#define BUFFER 65536
#define NAME 256
#define QUEUE 16

enum kind { IDLE, PLAYLIST, SEGMENT };

struct viewer {
    int       fd;
    enum kind kind;
    long long due;           /* of the next playlist, in microseconds */
    long long began;         /* what the time of the present answer runs from */
    int       head;          /* 1 until the empty line */
    long long left;          /* bytes of the body that are still to come */
    int       length;        /* of what `data` holds */
    char      last[NAME];    /* newest segment that was asked for */
    char      queue[QUEUE][NAME];
    int       queued;
    char      data[BUFFER];
};

struct times {
    long long *us;
    size_t     count, room;
};

static struct sockaddr_in server;
static const char        *host, *playlist;
static char               folder[NAME];
static struct times       playlists, segments;
static long long          bytes, errors, reconnects, missed;
static int                poller;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void note(struct times *times, long long us)
{
    if (times->count == times->room) {
        times->room = times->room ? times->room * 2 : 65536;
        times->us = realloc(times->us, times->room * sizeof(*times->us));
    }
    times->us[times->count++] = us;
}

static void dial(struct viewer *v)
{
    int                one = 1;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = v };

    v->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (v->fd < 0 || connect(v->fd, (struct sockaddr *) &server, sizeof(server)) < 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    epoll_ctl(poller, EPOLL_CTL_ADD, v->fd, &event);
}

static void redial(struct viewer *v)
{
    close(v->fd);
    dial(v);
    reconnects++;
    v->kind = IDLE;
    v->queued = 0;
}

static void ask(struct viewer *v, enum kind kind, const char *path, long long began)
{
    char request[1024];
    int  length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: viewer\r\nAccept: */*\r\n\r\n", path, host);

    v->kind = kind;
    v->began = began;
    v->head = 1;
    v->length = 0;
    if (send(v->fd, request, length, MSG_NOSIGNAL) != length) {
        errors++;
        redial(v);
    }
}

/* The segments that come after the last one; of a viewer who just came, the newest. */
static void queue_new_segments(struct viewer *v)
{
    char *line, *rest = v->data, *uri[512];
    int   count = 0, from = 0, known = 0;

    v->data[v->length] = '\0';
    while ((line = strsep(&rest, "\n")) != NULL) {
        line[strcspn(line, "\r")] = '\0';
        if (line[0] != '#' && line[0] != '\0' && strlen(line) < NAME && count < 512) uri[count++] = line;
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(uri[i], v->last) == 0) {
            from = i + 1;
            known = 1;
        }
    }
    if (!known) {
        if (v->last[0] != '\0' && count > 0) missed++;
        from = count > 0 ? count - 1 : 0;
    }
    for (int i = from; i < count && v->queued < QUEUE; i++) strcpy(v->queue[v->queued++], uri[i]);
    if (count > 0) strcpy(v->last, uri[count - 1]);
}

static void next(struct viewer *v)
{
    char path[2 * NAME];

    if (v->queued == 0) {
        v->kind = IDLE;
        return;
    }
    snprintf(path, sizeof(path), "%s%s", folder, v->queue[0]);
    memmove(v->queue[0], v->queue[1], sizeof(v->queue[0]) * (QUEUE - 1));
    v->queued--;
    ask(v, SEGMENT, path, now());
}

static void finish(struct viewer *v)
{
    note(v->kind == PLAYLIST ? &playlists : &segments, now() - v->began);
    if (v->kind == PLAYLIST) queue_new_segments(v);
    next(v);
}

/* Reads the head, whose end the kernel was looked into for first, so that no byte of a segment is copied with it. */
static int read_head(struct viewer *v)
{
    ssize_t got = recv(v->fd, v->data, BUFFER - 1, MSG_PEEK | MSG_DONTWAIT);
    char   *end, *field;

    if (got <= 0) return got < 0 && errno == EAGAIN ? 0 : -1;
    v->data[got] = '\0';
    end = strstr(v->data, "\r\n\r\n");
    if (end == NULL) return got == BUFFER - 1 ? -1 : 0;
    got = recv(v->fd, v->data, end + 4 - v->data, 0);
    bytes += got;
    v->data[got] = '\0';
    field = strcasestr(v->data, "\r\nContent-Length:");
    if (strncmp(v->data + 8, " 200", 4) != 0 || field == NULL) {
        errors++;
        return -1;
    }
    v->left = atoll(field + 17);
    v->head = 0;
    v->length = 0;
    return 1;
}

static void readable(struct viewer *v)
{
    for (;;) {
        ssize_t got;

        if (v->kind == IDLE) { /* hung up */
            redial(v);
            return;
        }
        if (v->head) {
            int done = read_head(v);
            if (done < 0) redial(v);
            if (done <= 0) return;
        }
        if (v->kind == PLAYLIST) {
            if (v->left > BUFFER - 1 - v->length) { /* a playlist of more than that is no live one */
                errors++;
                redial(v);
                return;
            }
            got = v->left == 0 ? 0 : recv(v->fd, v->data + v->length, v->left, MSG_DONTWAIT);
        } else {
            got = v->left == 0 ? 0 : recv(v->fd, NULL, v->left > 1 << 20 ? 1 << 20 : v->left, MSG_DONTWAIT | MSG_TRUNC);
        }
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0 || (got == 0 && v->left > 0)) {
            errors++;
            redial(v);
            return;
        }
        bytes += got;
        v->left -= got;
        if (v->kind == PLAYLIST) v->length += got;
        if (v->left == 0) {
            finish(v);
            return;
        }
    }
}

static int ascending(const void *a, const void *b)
{
    long long x = *(const long long *) a, y = *(const long long *) b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, struct times *t)
{
    qsort(t->us, t->count, sizeof(*t->us), ascending);
    printf("\"%s\":{\"count\":%zu", name, t->count);
    if (t->count > 0)
        printf(",\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f", t->us[t->count / 2] / 1e3, t->us[t->count * 99 / 100] / 1e3,
               t->us[t->count - 1] / 1e3);
    printf("},");
}

int main(int argc, char **argv)
{
    struct epoll_event events[256];
    struct rusage      usage;

    if (argc != 6) {
        fprintf(stderr, "usage: viewers ADDRESS PORT /PATH.m3u8 VIEWERS SECONDS\n");
        return 2;
    }
    host = argv[1];
    playlist = argv[3];
    int count = atoi(argv[4]);
    double seconds = atof(argv[5]);
    server.sin_family = AF_INET;
    server.sin_port = htons(atoi(argv[2]));
    inet_pton(AF_INET, host, &server.sin_addr);
    snprintf(folder, sizeof(folder), "%.*s", (int) (strrchr(playlist, '/') + 1 - playlist), playlist);
    poller = epoll_create1(0);

    struct viewer *viewers = calloc(count, sizeof(*viewers));
    for (int i = 0; i < count; i++) dial(&viewers[i]);
    long long begin = now(), end = begin + (long long) (seconds * 1e6);
    for (int i = 0; i < count; i++) viewers[i].due = begin + (long long) i * PERIOD_MS * 1000 / count;

    /* All periods are the same, so the next one who is due is always the next in line. */
    for (int turn = 0;;) {
        long long at = now();
        if (at >= end) break;
        struct viewer *v = &viewers[turn];
        if (v->due <= at) {
            /* Who still fetches has missed his turn. */
            if (v->kind == IDLE) ask(v, PLAYLIST, playlist, v->due);
            else missed++;
            v->due += PERIOD_MS * 1000;
            turn = (turn + 1) % count;
            continue;
        }
        long long wait = (v->due < end ? v->due : end) - at;
        struct timespec timeout = { .tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000 };
        int ready = epoll_pwait2(poller, events, 256, &timeout, NULL);
        for (int i = 0; i < ready; i++) readable(events[i].data.ptr);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("{");
    print_times("playlist", &playlists);
    print_times("segment", &segments);
    printf("\"bytes\":%lld,\"errors\":%lld,\"reconnects\":%lld,\"missed\":%lld,\"busy\":%.3f}\n", bytes, errors, reconnects, missed,
           (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6) / seconds);
    return 0;
}
