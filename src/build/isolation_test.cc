// Real builds with git, buildah and runc against Debian's docker-registry, in the real sandbox. Needs root
// and these programs; says so and passes otherwise.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>
#include <sstream>
#include <thread>

#include "base/test_folder.h"
#include "base/text.h"
#include "base/time.h"
#include "build/buildah.h"
#include "build/git.h"
#include "build/launch.h"
#include "build/sandbox.h"
#include "build/stores.h"

using namespace wharfage;
using namespace wharfage::build;
namespace fs = std::filesystem;

namespace {

std::string missing() {
  if (std::string reason = obstacle(); !reason.empty()) return reason;
  for (const char* program : {"docker-registry", "busybox", "curl", "bash", "ldd"}) {
    if (find_program(program).empty()) return fmt::format("{} is not installed", program);
  }
  return "";
}

bool possible() {
  std::string reason = missing();
  if (!reason.empty()) MESSAGE("skipped: " << reason);
  return reason.empty();
}

std::string shell(const std::string& script, const std::string& folder = "/") {
  Command command{.arguments = {"sh", "-ec", script},
                  .environment = {fmt::format("PATH={}", search_path), "GIT_CONFIG_NOSYSTEM=1",
                                  "HOME=/nonexistent", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b",
                                  "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b"},
                  .folder = folder};
  auto output = capture(command, 60'000);
  if (!output.ok()) FAIL(output.error().message);
  return *output;
}

// A listening socket on every address, and whether anybody has come.
class Listener {
 public:
  Listener() : x_socket(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    REQUIRE(bind(x_socket.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(listen(x_socket.get(), 100) == 0);
  }
  int port() const {
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(x_socket.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    return ntohs(bound.sin_port);
  }
  int visitors() {
    while (true) {
      Handle one(accept4(x_socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!one) return x_visitors;
      ++x_visitors;
    }
  }

 private:
  Handle x_socket;
  int x_visitors = 0;
};

int free_port() {
  return Listener().port();
}

// A program that runs beside the test.
class Background {
 public:
  explicit Background(std::vector<std::string> arguments) {
    Command command{.arguments = std::move(arguments), .environment = {fmt::format("PATH={}", search_path)}};
    x_thread = std::thread([this, command] {
      Watch watch{.stop = [this]() -> Status { return x_stop ? Status(fail(Reason::canceled)) : Status(); }};
      (void)run_process(command, watch).ok();
    });
  }
  ~Background() {
    x_stop = true;
    x_thread.join();
  }

 private:
  std::atomic<bool> x_stop{false};
  std::thread x_thread;
};

void wait_for_http(const std::string& address) {
  shell(fmt::format("for i in $(seq 300); do curl -s -o /dev/null {}/ && exit 0; sleep 0.1; done; exit 1",
                    address));
}

class DockerRegistry {
 public:
  explicit DockerRegistry(const TestFolder& folder) : x_port(free_port()) {
    // robot:secret
    folder.write("htpasswd", "robot:$2y$05$QPwZM8bAWaJsXsHFYMBA3.hM.XQ9NC9fjO3LPFFnnRQuzXFdD.x5u\n");
    folder.write("registry.yml", fmt::format("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {0}}}}}\n"
                                             "http: {{addr: '127.0.0.1:{1}'}}\n"
                                             "auth: {{htpasswd: {{realm: x, path: {2}}}}}\n",
                                             folder.path("registry"), x_port, folder.path("htpasswd")));
    x_process.emplace(std::vector<std::string>{"docker-registry", "serve", folder.path("registry.yml")});
    wait_for_http(address());
  }
  std::string address() const { return fmt::format("127.0.0.1:{}", x_port); }
  std::string digest(const std::string& repository, const std::string& tag) const {
    return std::string(
        trim(shell(fmt::format("curl -s -I -u robot:secret -H 'Accept: "
                               "application/vnd.oci.image.manifest.v1+json, "
                               "application/vnd.oci.image.index.v1+json' {}/v2/{}/manifests/{} | "
                               "tr -d '\\r' | sed -n 's/^Docker-Content-Digest: //p'",
                               address(), repository, tag))));
  }

 private:
  int x_port;
  std::optional<Background> x_process;
};

// Git's own server behind a login (bot, s3cret).
constexpr const char* git_server = R"python(
import base64, http.server, os, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"bot:s3cret").decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        env = dict(os.environ, GIT_PROJECT_ROOT=sys.argv[2], GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path,
                   QUERY_STRING=query, REQUEST_METHOD=self.command, REMOTE_USER="bot",
                   CONTENT_TYPE=self.headers.get("Content-Type", ""), GIT_CONFIG_COUNT="1",
                   GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*",
                   HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                   GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        self.send_response(int(dict(lines).get("Status", "200").split()[0]))
        for name, value in lines:
            if name != "Status": self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((sys.argv[3], int(sys.argv[1])), Handler).serve_forever()
)python";

struct World {
  TestFolder folder;
  DockerRegistry registry{folder};
  Options options;
  Stores stores{folder.path("store"), INT64_MAX};
  std::vector<std::string> log;
  std::function<Status()> stop = [] { return Status(); };
  std::string step;

  World() {
    options.work_folder = folder.path("work");
    options.hidden_folder = folder.path("data");
    options.registry_address = registry.address();
    options.file_roots = {folder.path("git")};
    options.search_registries = {};
    options.control_group = "wharfage-test";
    options.disk_reserve_bytes = 0;
    fs::create_directories(folder.path("data"));
    fs::create_directories(folder.path("git/app"));
    shell("git init -q -b main .", folder.path("git/app"));
  }

  void commit(const std::string& dockerfile, const std::string& date = "2026-01-01T00:00:00Z") {
    folder.write("git/app/Dockerfile", dockerfile);
    shell(
        fmt::format(
            "git add . && GIT_COMMITTER_DATE={0} GIT_AUTHOR_DATE={0} git commit -q --allow-empty -m x", date),
        folder.path("git/app"));
  }

  Progressing progressing() {
    return {.log = [this](std::string_view line) { log.emplace_back(line); },
            .stop = [this] { return stop(); },
            .deadline_ms = monotonic_ms() + 120'000};
  }

  // Clone, build and push as the job does; the digest.
  Result<std::string> build(const std::string& repository, const std::string& tag, Recipe recipe = {}) {
    log.clear();
    step.clear();
    if (recipe.push_type.empty()) recipe = {.push_type = "GIT_BRANCH", .push_name = "main", .image_tag = "1"};
    recipe = normalise(recipe);
    TRY(auto lease, stores.lease("one"));
    TRY(auto sandbox, Sandbox::open(options, fmt::format("b{}", ++builds), lease->folder()));
    std::string gateway = sandbox->network().registry();
    recipe.arguments = {"GATEWAY=" + gateway.substr(0, gateway.find(':'))};
    TRY(Checkout checkout, fetch_source(*sandbox, options, remote, recipe, progressing()));
    last = checkout;
    TRY_STATUS(configure_registries(*sandbox, options, {"robot", "secret"}));
    ImageBuild image{.repository = repository, .tag = tag, .recipe = &recipe};
    TRY_STATUS(build_image(*sandbox, image, progressing(), step));
    lease->keep();
    return push_image(*sandbox, image, progressing());
  }
  int builds = 0;
  Checkout last;
  Remote remote{.url = "file://" + folder.path("git/app")};

  void make_base() {
    shell(
        "mkdir -p root/bin root/tmp; cp $(command -v busybox) root/bin/busybox; "
        "for f in /bin/bash $(ldd /bin/bash | grep -o '/lib[^ ]*'); do mkdir -p root/$(dirname $f); "
        "cp -L $f root/$f; done",
        folder.path("git/app"));
    commit("FROM scratch\nCOPY root/ /\nRUN [\"/bin/busybox\",\"--install\",\"-s\",\"/bin\"]\n");
    auto digest = build("library/base", "1");
    if (!digest.ok()) FAIL(digest.error().message << "\n" << said());
  }

  std::string said() const { return join(log, "\n"); }
};

// Nothing of ours is left on the machine. (A group with a process in it cannot be removed.)
void check_clean(const Options& options) {
  CHECK(claims_of(options.work_folder).empty());
  for (const char* controller : {"memory", "pids", "cpu", "."}) {
    CHECK_FALSE(fs::exists(fmt::format("/sys/fs/cgroup/{}/{}", controller, options.control_group)));
  }
  std::error_code ignored;
  std::string runs = options.work_folder + "/run";
  CHECK((!fs::exists(runs) || fs::is_empty(runs, ignored)));
}

std::string host_address() {
  std::string lines = shell("ip -o -4 addr show scope global | grep -v wfb | awk '{print $4}' | cut -d/ -f1");
  for (std::string_view line : split(lines, '\n')) {
    if (!line.empty()) return std::string(line);
  }
  return "";
}

}  // namespace

TEST_CASE("an image is built from a git commit and pushed under the digest we are told") {
  if (!possible()) return;
  World world;
  world.folder.write("git/app/hello.txt", "hello");
  world.commit("FROM scratch\nCOPY hello.txt /\nCMD [\"/x\"]\n");
  auto digest = world.build("root/app", "1.0");
  REQUIRE_MESSAGE(digest.ok(), (digest.ok() ? "" : digest.error().message), "\n", world.said());
  CHECK(digest->substr(0, 7) == "sha256:");
  CHECK(*digest == world.registry.digest("root/app", "1.0"));
  CHECK(world.last.commit + "\n" == shell("git rev-parse HEAD", world.folder.path("git/app")));
  CHECK(world.said().find("fetch stage begin\n") == 0);
  CHECK(world.said().find("\nSTEP 2/3: COPY hello.txt /\n") != std::string::npos);
  CHECK(world.said().find("secret") == std::string::npos);
  check_clean(world.options);
}

TEST_CASE(
    "a build cannot reach loopback, the host, private networks or the data folder, from RUN, ADD or FROM") {
  if (!possible()) return;
  World world;
  world.make_base();
  Listener trap;
  std::string host = host_address();
  REQUIRE_FALSE(host.empty());
  world.folder.write("data/key", "the master key");
  fs::permissions(world.folder.path(), fs::perms::all);
  fs::permissions(world.folder.path("data"), fs::perms::all);
  std::string port = std::to_string(trap.port());
  std::string registry_port = world.registry.address().substr(10);
  std::string probes =
      fmt::format("127.0.0.1/{0} {1}/{0} $GATEWAY/{0} 127.0.0.1/{2} {1}/{2} 10.0.0.1/80 169.254.169.254/80",
                  port, host, registry_port);
  world.commit(fmt::format(
      "FROM library/base:1\nARG GATEWAY\nRUN for t in {}; do if timeout 5 bash -c \"exec 3<>/dev/tcp/$t\"; "
      "then echo \"OPEN $t\"; else echo \"closed $t\"; fi; done\n"
      "RUN timeout 5 bash -c \"exec 3<>/dev/tcp/$GATEWAY/{}\" && echo registry open; "
      "cat {} || echo no data\n",
      probes, registry_port, world.folder.path("data/key")));
  auto built = world.build("root/app", "probe");
  REQUIRE_MESSAGE(built.ok(), world.said());
  CAPTURE(world.said());
  CHECK(world.said().find("\nOPEN ") == std::string::npos);
  CHECK(std::count_if(world.log.begin(), world.log.end(), [](auto& l) { return l.find("closed ") == 0; }) ==
        7);
  CHECK(std::count(world.log.begin(), world.log.end(), "registry open") == 1);
  CHECK(std::count(world.log.begin(), world.log.end(), "no data") == 1);
  for (std::string target : {"127.0.0.1", "$GATEWAY", host.c_str()}) {
    world.commit(fmt::format("FROM scratch\nARG GATEWAY\nADD http://{}:{}/x /x\n", target, port));
    CHECK_FALSE(world.build("root/app", "add").ok());
    CHECK(world.step.find("STEP 3/3: ADD http") == 0);
  }
  world.commit(fmt::format("FROM {}:{}/x/y:1\nCOPY Dockerfile /\n", host, port));
  CHECK_FALSE(world.build("root/app", "from").ok());
  CHECK(trap.visitors() == 0);
  // The trap itself works.
  shell(fmt::format("curl -s -m 1 http://{}:{}/ || true", host, port));
  CHECK(trap.visitors() == 1);
  check_clean(world.options);
}

TEST_CASE("base images come from this registry by short name and by address, with the build's own login") {
  if (!possible()) return;
  World world;
  world.make_base();
  world.commit(fmt::format(
      "FROM base:1 AS one\nRUN echo $(id -u) > /x\nFROM {}/library/base:1\nCOPY --from=one /x /x\n",
      world.registry.address()));
  // A short name means docker.io's library elsewhere; here the registry is asked for "base".
  CHECK_FALSE(world.build("root/app", "short").ok());
  world.commit(fmt::format(
      "FROM library/base:1 AS one\nRUN echo $(id -u) > /x\nFROM {}/library/base:1\nCOPY --from=one /x /x\n",
      world.registry.address()));
  auto digest = world.build("root/app", "2");
  REQUIRE_MESSAGE(digest.ok(), world.said());
  CHECK(*digest == world.registry.digest("root/app", "2"));
}

TEST_CASE("a failing step is named with its exit code") {
  if (!possible()) return;
  World world;
  world.make_base();
  world.commit("FROM library/base:1\nRUN echo one\nRUN echo two; exit 37\n");
  auto built = world.build("root/app", "bad");
  REQUIRE_FALSE(built.ok());
  CHECK(built.error().message == "STEP 3/3: RUN echo two; exit 37 failed with exit code 37");
  CHECK(built.error().detail == "IMAGE_BUILD");
  CHECK(world.step == "STEP 3/3: RUN echo two; exit 37");
  world.commit("FROM library/base:1\nCOPY nothing /\n");
  built = world.build("root/app", "bad");
  REQUIRE_FALSE(built.ok());
  CHECK(built.error().message.find("STEP 2/2: COPY nothing / failed: ") == 0);
  check_clean(world.options);
}

TEST_CASE("a build that wants too much memory or too many processes ends, and says so") {
  if (!possible()) return;
  World world;
  world.make_base();
  world.options.memory_bytes = 96 << 20;
  world.commit("FROM library/base:1\nRUN x=$(dd if=/dev/zero bs=1M count=400 | tr '\\0' a); echo ${#x}\n");
  auto built = world.build("root/app", "big");
  REQUIRE_FALSE(built.ok());
  CAPTURE(world.said());
  CHECK(built.error().message.find("used more memory than it may") != std::string::npos);
  world.options.memory_bytes = 1 << 30;
  world.options.processes = 100;
  world.commit("FROM library/base:1\nRUN i=0; while [ $i -lt 300 ]; do sleep 3 & i=$((i+1)); done; wait\n");
  CHECK_FALSE(world.build("root/app", "many").ok());
  CHECK(world.said().find("can't fork") != std::string::npos);
  check_clean(world.options);
}

TEST_CASE("a cancelled build ends with everything it started") {
  if (!possible()) return;
  World world;
  world.make_base();
  world.commit(
      "FROM library/base:1\nRUN trap '' TERM; (while true; do sleep 1; done) & echo up; sleep 1000\n");
  world.stop = [&]() -> Status {
    bool up = std::count(world.log.begin(), world.log.end(), "up") != 0;
    return up ? Status(fail(Reason::canceled)) : Status();
  };
  auto built = world.build("root/app", "never");
  REQUIRE_FALSE(built.ok());
  CHECK(built.error().reason == Reason::canceled);
  CHECK(world.registry.digest("root/app", "never") == "");
  check_clean(world.options);
}

TEST_CASE("builds at the same time have networks of their own and cannot reach each other") {
  if (!possible() || find_program("python3").empty()) return;
  TestFolder folder;
  Options options;
  options.work_folder = folder.path();
  options.registry_address = "127.0.0.1:1";
  auto first = Network::open(options), second = Network::open(options);
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK((*first)->registry() != (*second)->registry());
  auto in = [](const Network& network, const std::string& script) {
    return shell(fmt::format("nsenter --net={} sh -c '{}'", network.path(), script));
  };
  std::string address = in(**second, "ip -o -4 addr show eth0 | tr -s \" \" | cut -d\" \" -f4 | cut -d/ -f1");
  address = std::string(trim(address));
  Background server({"nsenter", "--net=" + (*second)->path(), "python3", "-m", "http.server", "8000"});
  in(**second,
     "for i in $(seq 300); do curl -s -o /dev/null 127.0.0.1:8000 && exit 0; sleep 0.1; done; exit 1");
  CHECK(in(**second, fmt::format("curl -s -o /dev/null -m 5 {}:8000 && echo open || echo closed", address)) ==
        "open\n");
  CHECK(in(**first, fmt::format("curl -s -o /dev/null -m 5 {}:8000 && echo open || echo closed", address)) ==
        "closed\n");
}

TEST_CASE("who shares the network but not /run takes other names, and nothing away") {
  if (!possible()) return;
  TestFolder folder;
  Options options;
  options.work_folder = folder.path();
  options.registry_address = "127.0.0.1:1";
  auto theirs = Network::open(options);
  REQUIRE(theirs.ok());
  // As from another container: no claim and no namespace of that name to be seen, only device and table.
  Claim claim = (*theirs)->claim();
  release(claim);
  Background holder({"nsenter", "--net=/run/netns/" + claim.name, "sleep", "1000"});
  shell(fmt::format(
      "while [ -z \"$(ip netns pids {0})\" ]; do sleep 0.02; done; umount /run/netns/{0}; rm /run/netns/{0}",
      claim.name));
  auto ours = Network::open(options);
  REQUIRE(ours.ok());
  CHECK((*ours)->claim().name != claim.name);
  ours->reset();
  CHECK(shell("ip link show dev " + claim.name + "h").find(claim.tag) != std::string::npos);
  CHECK(shell("nft list table inet " + claim.name).find(claim.tag) != std::string::npos);
  theirs->reset();
  CHECK(shell("nft list tables | grep -c ' " + claim.name + "$' || true") == "0\n");
}

TEST_CASE("what a crashed server leaves is removed by the next one, and nothing of another server") {
  if (!possible()) return;
  World world;
  Options other = world.options;
  other.work_folder = world.folder.path("other");
  auto theirs = Network::open(other);
  REQUIRE(theirs.ok());
  // As after a crash: no destructor runs.
  auto ours = Network::open(world.options);
  REQUIRE(ours.ok());
  static const void* volatile kept[2];  // what a crash leaves is no leak
  Claim left = (*ours)->claim();
  kept[0] = ours->release();
  auto group = ControlGroup::open(world.options.control_group, left.group(), {});
  REQUIRE(group.ok());
  kept[1] = group->release();
  CHECK(kept[1] != nullptr);
  fs::create_directories(world.options.work_folder + "/run/x/y");
  REQUIRE(claims_of(world.options.work_folder).size() == 1);
  CHECK(claims_of(world.options.work_folder)[0].tag == left.tag);
  remove_leftovers(world.options);
  CHECK(claims_of(world.options.work_folder).empty());
  CHECK_FALSE(fs::exists("/run/netns/" + left.name));
  CHECK_FALSE(fs::exists(world.options.work_folder + "/run/x"));
  CHECK(fs::exists((*theirs)->path()));
  CHECK(claims_of(other.work_folder).size() == 1);
  theirs->reset();
  check_clean(world.options);
}

TEST_CASE("a pattern builds the newest matching tag and takes the image tag from it") {
  if (!possible()) return;
  World world;
  auto git = [&](const std::string& what) { shell("git " + what, world.folder.path("git/app")); };
  world.commit("FROM scratch\nCOPY Dockerfile /\n", "2026-01-01T00:00:00Z");
  git("tag v9.0");
  world.commit("FROM scratch\nCOPY Dockerfile /b\n", "2026-03-01T00:00:00Z");
  git("tag v1.5");
  world.commit("FROM scratch\nCOPY Dockerfile /c\n", "2026-02-01T00:00:00Z");
  git("tag v2.0");
  git("tag other");
  Recipe recipe{.push_type = "GIT_TAG", .push_name = "v(?<number>[0-9.]+)", .image_tag = "${number}"};
  auto digest = world.build("root/app", "p", recipe);
  REQUIRE_MESSAGE(digest.ok(), world.said());
  CHECK(world.last.reference == "refs/tags/v1.5");
  CHECK(world.last.groups.at("number") == "1.5");
  recipe.push_name = "w(.*)";
  CHECK(world.build("root/app", "p", recipe).error().message ==
        "no branch or tag of the source matches the push name");
  recipe.push_name = "nothere";
  CHECK(world.build("root/app", "p", recipe).error().message == "the source has no such branch or tag");
}

TEST_CASE("several platforms become one index") {
  if (!possible() || host_platform() != "linux/amd64") return;
  World world;
  world.commit("FROM scratch\nCOPY Dockerfile /\n");
  Recipe recipe{.push_type = "GIT_BRANCH", .push_name = "main", .image_tag = "1"};
  recipe.platforms = {"linux/amd64", "linux/386"};
  for (int turn = 0; turn < 2; ++turn) {  // the second one with the first one's layers
    auto digest = world.build("root/app", "many", recipe);
    REQUIRE_MESSAGE(digest.ok(), world.said());
    CHECK(*digest == world.registry.digest("root/app", "many"));
    std::string index =
        shell(fmt::format("curl -s -u robot:secret -H 'Accept: application/vnd.oci.image.index.v1+json' "
                          "{}/v2/root/app/manifests/many",
                          world.registry.address()));
    CAPTURE(index);
    CAPTURE(world.said());
    CHECK(index.find("\"architecture\":\"386\"") != std::string::npos);
    CHECK(index.find("\"architecture\":\"amd64\"") != std::string::npos);
    CHECK(std::count(index.begin(), index.end(), '{') == 5);  // the index, two manifests with a platform each
  }
  recipe.platforms = {"linux/arm/v6"};
  auto built = world.build("root/app", "foreign", recipe);
  bool emulated = platform_obstacle("linux/arm/v6").empty();
  CHECK(built.ok() == emulated);
  if (!emulated)
    CHECK(built.error().message.find("cannot run programs for linux/arm/v6") != std::string::npos);
}

TEST_CASE("a source behind a login is fetched with the provider's token, from an address that was opened") {
  if (!possible() || find_program("python3").empty()) return;
  World world;
  world.commit("FROM scratch\nCOPY Dockerfile /\n");
  world.folder.write("server.py", git_server);
  int port = free_port();
  std::string place = fmt::format("{}:{}", host_address(), port);
  Background server({"python3", world.folder.path("server.py"), std::to_string(port),
                     world.folder.path("git"), host_address()});
  wait_for_http(place);
  world.remote = {.url = fmt::format("http://{}/app", place),
                  .credential = "token",
                  .username = "bot",
                  .secret = "s3cret"};
  CHECK_FALSE(world.build("root/app", "closed").ok());
  world.options.egress.allow = {place};
  auto digest = world.build("root/app", "open");
  REQUIRE_MESSAGE(digest.ok(), world.said());
  CHECK(world.said().find("s3cret") == std::string::npos);
  world.remote.secret = "wrong";
  auto refused = world.build("root/app", "wrong");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().detail == "GIT_CLONE");
  CHECK(world.said().find("wrong") == std::string::npos);
}

TEST_CASE("links do not lead out of the source, and file:// does not lead out of the allowed folders") {
  if (!possible()) return;
  World world;
  shell("ln -s /etc/passwd link; mkdir sub; ln -s /etc sub/out", world.folder.path("git/app"));
  world.commit("FROM scratch\nCOPY Dockerfile /\n");
  Recipe recipe{.push_type = "GIT_BRANCH", .push_name = "main", .image_tag = "1", .dockerfile_name = "link"};
  auto built = world.build("root/app", "l", recipe);
  REQUIRE_FALSE(built.ok());
  CHECK(built.error().message == "the source has no link");
  CHECK(world.said().find("root:x") == std::string::npos);
  recipe.dockerfile_name = "passwd";
  recipe.dockerfile_location = "/sub/out";
  CHECK_FALSE(world.build("root/app", "l", recipe).ok());
  CHECK_FALSE(allowed_folder("file:///etc", world.options.file_roots).ok());
  CHECK_FALSE(allowed_folder("file://" + world.folder.path("git/../data"), world.options.file_roots).ok());
  fs::create_directory_symlink("/etc", world.folder.path("git/link"));
  CHECK_FALSE(allowed_folder("file://" + world.folder.path("git/link"), world.options.file_roots).ok());
  CHECK(allowed_folder("file://" + world.folder.path("git/app"), world.options.file_roots).ok());
  CHECK_FALSE(allowed_folder("file://" + world.folder.path("git/app"), {}).ok());
}
