/*
 * mmap-load: a workload whose mmap_lock acquisitions and page faults are known beforehand.
 *
 * It does a stated number of calls under a stated process name and prints one JSON line with what it did.
 * The name is worn only around the counted calls: exec, libc, thread start and exit never count under it.
 * All memory the counted calls need is resident before they start.
 *
 * Build: see Makefile. Use: mmap-load MODE [--count N] [--threads T] [--name COMM] ...; README.md explains.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, THREADS_MAX = 256, COMM_BYTES = 16, CHUNK_PAGES = 2048 };
/* Further apart than the kernel's fault-around window can reach (it never leaves one page table). */
#define EXEC_STRIDE_BYTES (2ul << 20)
#define EXEC_CHUNK_PAGES 64ul
/* Calls between two looks at the clock when --seconds or --rate is given. */
#define CLOCK_CHECK_CALLS 64ul

struct work;
typedef void call_fn(struct work *work);
/* Runs before each chunk of counted calls, under the process's own name. */
typedef void refill_fn(struct work *work);

struct kind {
  const char *name;
  call_fn *call;
  refill_fn *refill;    /* absent: the calls need nothing renewed */
  uint64_t chunk_calls; /* calls between two refills */
  /* What one call does, established on a live kernel; see README.md. */
  int reads, writes, downgrades, faults;
  const char *access, *cause, *origin;
};

struct work {
  const struct kind *kind;
  uint64_t count;       /* stop after this many calls; 0: no limit */
  double seconds;       /* stop after this time; 0: no limit */
  double rate;          /* calls a second; 0: as fast as possible */
  char name[COMM_BYTES];
  size_t region_pages;
  char *region;
  uint64_t next_page;   /* of the current chunk */
  unsigned char residency;
  int zero_fd;
  bool is_writable;
  uint64_t calls, wall_ns, cpu_ns;
};

static void die(const char *what) {
  fprintf(stderr, "mmap-load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static char *map_region(size_t bytes, int prot) {
  char *region = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (region == MAP_FAILED) die("mmap");
  madvise(region, bytes, MADV_NOHUGEPAGE);
  return region;
}

/* ---- calls on the lock ------------------------------------------------------------------------------- */

static void call_mincore(struct work *work) {
  if (mincore(work->region, PAGE_BYTES, &work->residency) != 0) die("mincore");
}

static void call_mmap_munmap(struct work *work) {
  (void)work;
  char *p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED || munmap(p, PAGE_BYTES) != 0) die("mmap/munmap");
}

/* Holds the lock for write as long as it takes to change region_pages resident pages. */
static void call_mprotect(struct work *work) {
  work->is_writable = !work->is_writable;
  int prot = work->is_writable ? PROT_READ | PROT_WRITE : PROT_READ;
  if (mprotect(work->region, work->region_pages * PAGE_BYTES, prot) != 0) die("mprotect");
}

static void call_nothing(struct work *work) { (void)work; }

/* ---- calls that fault -------------------------------------------------------------------------------- */

static char *take_page(struct work *work) { return work->region + PAGE_BYTES * work->next_page++; }

static void drop_pages(struct work *work) {
  if (madvise(work->region, CHUNK_PAGES * PAGE_BYTES, MADV_DONTNEED) != 0) die("madvise");
  work->next_page = 0;
}

/*
 * Leaves every page mapped to a page of a file, read-only in the page table since the mapping is private: a write is a
 * protection fault. Not the shared zero page, which some kernels do not map for a read.
 */
static void drop_and_read_pages(struct work *work) {
  static __thread int fd = -1;
  if (fd < 0 && ((fd = memfd_create("mmap-load", 0)) < 0 || ftruncate(fd, (off_t)(CHUNK_PAGES * PAGE_BYTES)) != 0)) die("memfd");
  if (mmap(work->region, CHUNK_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) die("mmap");
  work->next_page = 0;
  for (size_t i = 0; i < CHUNK_PAGES; i++) (void)*(volatile char *)(work->region + i * PAGE_BYTES);
}

static void call_read_page(struct work *work) { (void)*(volatile char *)take_page(work); }
static void call_write_page(struct work *work) { *(volatile char *)take_page(work) = 1; }

static void call_kernel_write_page(struct work *work) {
  if (read(work->zero_fd, take_page(work), 1) != 1) die("read /dev/zero");
}

static void map_fresh_code(struct work *work) {
  static const char ret_instruction = (char)0xc3;
  size_t bytes = EXEC_CHUNK_PAGES * EXEC_STRIDE_BYTES;
  if (work->region) munmap(work->region, bytes);
  int fd = memfd_create("mmap-load", 0);
  if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0) die("memfd");
  for (size_t i = 0; i < EXEC_CHUNK_PAGES; i++)
    if (pwrite(fd, &ret_instruction, 1, (off_t)(i * EXEC_STRIDE_BYTES)) != 1) die("pwrite");
  work->region = mmap(NULL, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  if (work->region == MAP_FAILED) die("mmap");
  close(fd);
  work->next_page = 0;
}

static void call_execute_page(struct work *work) {
  ((void (*)(void))(work->region + EXEC_STRIDE_BYTES * work->next_page++))();
}

/* Jumps into a page that may not be executed; the handler returns to the caller in its stead. */
static void call_execute_forbidden(struct work *work) { ((void (*)(void))work->region)(); }

static void return_from_forbidden(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
#ifdef __x86_64__
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  registers[REG_RIP] = *(greg_t *)registers[REG_RSP];
  registers[REG_RSP] += 8;
#else
  (void)context;
  _exit(3); /* only x86 is known here; the tracepoints that see these faults are x86's as well */
#endif
}

static const struct kind kinds[] = {
  {"mincore", call_mincore, NULL, 0, 1, 0, 0, 0, NULL, NULL, NULL},
  {"mmap-munmap", call_mmap_munmap, NULL, 0, 1, 2, 1, 0, NULL, NULL, NULL},
  {"mprotect", call_mprotect, NULL, 0, 0, 1, 0, 0, NULL, NULL, NULL},
  {"idle", call_nothing, NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL},
  {"fault-read", call_read_page, drop_pages, CHUNK_PAGES, -1, -1, -1, 1, "read", "not-present", "user"},
  {"fault-write", call_write_page, drop_pages, CHUNK_PAGES, -1, -1, -1, 1, "write", "not-present", "user"},
  {"fault-protection", call_write_page, drop_and_read_pages, CHUNK_PAGES, -1, -1, -1, 1, "write", "protection", "user"},
  {"fault-kernel", call_kernel_write_page, drop_pages, CHUNK_PAGES, -1, -1, -1, 1, "write", "not-present", "kernel"},
  {"fault-exec", call_execute_page, map_fresh_code, EXEC_CHUNK_PAGES, -1, -1, -1, 1, "instruction", "not-present", "user"},
  {"fault-exec-protection", call_execute_forbidden, NULL, 0, -1, -1, -1, 1, "instruction", "protection", "user"},
};

static const struct kind *find_kind(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  return NULL;
}

/* ---- the counted loop -------------------------------------------------------------------------------- */

static void set_up(struct work *work) {
  if (work->kind->call == call_execute_page) return;
  work->region = map_region(work->region_pages * PAGE_BYTES, PROT_READ | PROT_WRITE);
  memset(work->region, 0xc3, work->region_pages * PAGE_BYTES);
  if (work->kind->call == call_execute_forbidden) {
    struct sigaction action = {.sa_sigaction = return_from_forbidden, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
  }
  if (work->kind->call == call_kernel_write_page) {
    work->zero_fd = open("/dev/zero", O_RDONLY);
    if (work->zero_fd < 0) die("/dev/zero");
  }
}

/* Sleeps until the calls done so far are due. */
static void pace(const struct work *work, uint64_t start_ns) {
  uint64_t due_ns = start_ns + (uint64_t)((double)work->calls / work->rate * 1e9);
  struct timespec due = {.tv_sec = (time_t)(due_ns / 1000000000ull), .tv_nsec = (long)(due_ns % 1000000000ull)};
  if (due_ns > now_ns(CLOCK_MONOTONIC)) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static uint64_t next_stop(const struct work *work, uint64_t chunk_end, uint64_t step) {
  uint64_t stop = work->calls + step;
  if (stop > chunk_end) stop = chunk_end;
  if (work->count && stop > work->count) stop = work->count;
  return stop;
}

static bool is_finished(const struct work *work, uint64_t start_ns) {
  if (work->count && work->calls >= work->count) return true;
  return work->seconds > 0 && (double)(now_ns(CLOCK_MONOTONIC) - start_ns) >= work->seconds * 1e9;
}

/* Does calls until the chunk or the work ends, wearing the name. */
static void run_chunk(struct work *work, uint64_t start_ns, const char *own_name) {
  uint64_t chunk_end = work->kind->chunk_calls ? work->calls + work->kind->chunk_calls : UINT64_MAX;
  uint64_t step = work->rate > 0 || work->seconds > 0 ? CLOCK_CHECK_CALLS : UINT64_MAX / 2;
  if (work->rate > 0 && work->rate < 1000 * (double)CLOCK_CHECK_CALLS) step = 1 + (uint64_t)(work->rate / 1000);
  call_fn *call = work->kind->call;
  prctl(PR_SET_NAME, work->name);
  uint64_t wall = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
  while (work->calls < chunk_end && !is_finished(work, start_ns)) {
    for (uint64_t stop = next_stop(work, chunk_end, step); work->calls < stop; work->calls++) call(work);
    if (work->rate > 0) pace(work, start_ns);
  }
  work->cpu_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
  work->wall_ns += now_ns(CLOCK_MONOTONIC) - wall;
  prctl(PR_SET_NAME, own_name);
}

static void run_all(struct work *work, const char *own_name) {
  uint64_t start_ns = now_ns(CLOCK_MONOTONIC);
  do {
    if (work->kind->refill) work->kind->refill(work);
    run_chunk(work, start_ns, own_name);
  } while (!is_finished(work, start_ns));
}

/* Runs once with a small count under the process's own name, so that code, stack and libc are resident. */
static void warm_up(const struct work *work) {
  struct work rehearsal = *work;
  rehearsal.count = 2 * CLOCK_CHECK_CALLS + 1;
  rehearsal.seconds = 1;
  rehearsal.rate = 0;
  memcpy(rehearsal.name, "mmap-load-warm", sizeof "mmap-load-warm");
  run_all(&rehearsal, "mmap-load-warm");
}

static pthread_barrier_t all_ready;

static void *run_thread(void *argument) {
  struct work *work = argument;
  if (work->kind->call != call_nothing) {
    set_up(work);
    warm_up(work);
    if (work->kind->call == call_execute_page) work->region = NULL;
  }
  pthread_barrier_wait(&all_ready);
  if (work->kind->call == call_nothing) {
    struct timespec rest = {.tv_sec = (time_t)work->seconds, .tv_nsec = (long)(1e9 * (work->seconds - (double)(time_t)work->seconds))};
    nanosleep(&rest, NULL);
  } else {
    run_all(work, "mmap-load-done");
  }
  return NULL;
}

/* ---- options and report ------------------------------------------------------------------------------ */

static const struct { const char *name, *bytes; } weird_names[] = {
  {"quote", "a\"b"},         {"backslash", "a\\b"},   {"comma", "a,b"},
  {"newline", "a\nb"},       {"tab", "a\tb"},         {"colon", "a: b"},
  {"bracket", "[a]: 7"},     {"brace", "{\"a\":1}"},  {"utf8", "Zo\xc3\xab\xe2\x82\xac"},
  {"latin1", "Zo\xeb"},      {"cut-utf8", "123456789abcde\xc3"}, {"control", "a\x01\x1b[31m"},
  {"delete", "a\x7f" "b"},   {"space", " a b "},      {"empty", ""},
  {"escape", "a\\u0041\\n"}, {"percent", "%s%d%n"},   {"markup", "<b>&amp;"},
};

static const char *find_weird_name(const char *name) {
  for (size_t i = 0; i < sizeof weird_names / sizeof *weird_names; i++)
    if (strcmp(weird_names[i].name, name) == 0) return weird_names[i].bytes;
  return NULL;
}

struct plan {
  struct work works[THREADS_MAX];
  unsigned thread_count;
};

/* Prints the bytes of the name both as JSON text (each byte one character) and in hex. */
static void print_name(const char *name) {
  printf("\"name\":\"");
  for (const unsigned char *c = (const unsigned char *)name; *c; c++)
    if (*c == '"' || *c == '\\') printf("\\%c", *c);
    else if (*c < 0x20 || *c >= 0x7f) printf("\\u%04x", *c);
    else putchar(*c);
  printf("\",\"nameHex\":\"");
  for (const unsigned char *c = (const unsigned char *)name; *c; c++) printf("%02x", *c);
  printf("\"");
}

static void report(const char *mode, const struct plan *plan) {
  uint64_t calls = 0, wall_ns = 0, cpu_ns = 0, reads = 0, writes = 0, downgrades = 0, faults = 0;
  const struct kind *kind = plan->works[0].kind;
  for (unsigned i = 0; i < plan->thread_count; i++) {
    const struct work *work = &plan->works[i];
    calls += work->calls;
    cpu_ns += work->cpu_ns;
    if (work->wall_ns > wall_ns) wall_ns = work->wall_ns;
    faults += work->calls * (uint64_t)work->kind->faults;
    if (work->kind->reads < 0) continue;
    reads += work->calls * (uint64_t)work->kind->reads;
    writes += work->calls * (uint64_t)work->kind->writes;
    downgrades += work->calls * (uint64_t)work->kind->downgrades;
  }
  printf("{\"mode\":\"%s\",", mode);
  print_name(plan->works[0].name);
  printf(",\"threads\":%u,\"calls\":%llu,\"seconds\":%.6f,\"nsPerCall\":%.1f,\"cpuNs\":%llu,\"cpuNsPerCall\":%.1f",
         plan->thread_count, (unsigned long long)calls, (double)wall_ns / 1e9,
         calls ? (double)wall_ns * plan->thread_count / (double)calls : 0.0, (unsigned long long)cpu_ns,
         calls ? (double)cpu_ns / (double)calls : 0.0);
  if (kind->faults)
    printf(",\"faults\":%llu,\"access\":\"%s\",\"cause\":\"%s\",\"origin\":\"%s\"}\n", (unsigned long long)faults,
           kind->access, kind->cause, kind->origin);
  else
    printf(",\"readAcquisitions\":%llu,\"writeAcquisitions\":%llu,\"downgrades\":%llu}\n", (unsigned long long)reads,
           (unsigned long long)writes, (unsigned long long)downgrades);
}

static void run_plan(const char *mode, struct plan *plan) {
  pthread_t threads[THREADS_MAX];
  pthread_barrier_init(&all_ready, NULL, plan->thread_count);
  for (unsigned i = 0; i < plan->thread_count; i++)
    if (pthread_create(&threads[i], NULL, run_thread, &plan->works[i]) != 0) die("pthread_create");
  for (unsigned i = 0; i < plan->thread_count; i++) pthread_join(threads[i], NULL);
  report(mode, plan);
}

static int usage(void) {
  fprintf(stderr, "usage: mmap-load MODE [--count N] [--seconds S] [--threads T] [--writers W] [--pages P]\n"
                  "                 [--rate PER_SECOND] [--name COMM | --weird-name WHICH]\n  MODE: contend");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) fprintf(stderr, " %s", kinds[i].name);
  fprintf(stderr, "\n  WHICH:");
  for (size_t i = 0; i < sizeof weird_names / sizeof *weird_names; i++) fprintf(stderr, " %s", weird_names[i].name);
  fprintf(stderr, "\n");
  return 2;
}

/* In mode contend the first `writers` threads change protections of `pages` pages, or map and unmap one; the others read. */
static const struct kind *kind_of_thread(const char *mode, unsigned index, unsigned writers, size_t pages) {
  if (strcmp(mode, "contend") != 0) return find_kind(mode);
  if (index >= writers) return find_kind("mincore");
  return find_kind(pages > 1 ? "mprotect" : "mmap-munmap");
}

int main(int argc, char **argv) {
  static struct plan plan;
  struct work model = {.region_pages = 1};
  unsigned writers = 1;
  if (argc < 2 || argc % 2 != 0) return usage();
  plan.thread_count = strcmp(argv[1], "contend") == 0 ? 4 : 1;
  memcpy(model.name, "mmap-load", sizeof "mmap-load");
  for (int i = 2; i < argc; i += 2) {
    const char *value = argv[i + 1];
    if (strcmp(argv[i], "--count") == 0) model.count = strtoull(value, NULL, 10);
    else if (strcmp(argv[i], "--seconds") == 0) model.seconds = strtod(value, NULL);
    else if (strcmp(argv[i], "--rate") == 0) model.rate = strtod(value, NULL);
    else if (strcmp(argv[i], "--pages") == 0) model.region_pages = strtoul(value, NULL, 10);
    else if (strcmp(argv[i], "--threads") == 0) plan.thread_count = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(argv[i], "--writers") == 0) writers = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(argv[i], "--name") == 0) snprintf(model.name, sizeof model.name, "%s", value);
    else if (strcmp(argv[i], "--weird-name") == 0 && find_weird_name(value))
      snprintf(model.name, sizeof model.name, "%s", find_weird_name(value));
    else return usage();
  }
  bool is_known = kind_of_thread(argv[1], 0, writers, model.region_pages) != NULL;
  if (!is_known || plan.thread_count < 1 || plan.thread_count > THREADS_MAX || model.region_pages < 1) return usage();
  if (!model.count && model.seconds <= 0) return usage();
  prctl(PR_SET_NAME, "mmap-load-main");
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  for (unsigned i = 0; i < plan.thread_count; i++) {
    plan.works[i] = model;
    plan.works[i].kind = kind_of_thread(argv[1], i, writers, model.region_pages);
    if (plan.works[i].kind->refill && model.region_pages < CHUNK_PAGES) plan.works[i].region_pages = CHUNK_PAGES;
  }
  run_plan(argv[1], &plan);
  return 0;
}
