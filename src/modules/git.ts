import { type Args, flag, given, text } from "./args.js";
import { pathWord, word } from "./path-words.js";
import { ArgumentError, type TaskModule } from "./types.js";

const BY_COMMAND = "Use command with git itself, and changed_when.";
const NO_CHECKING = "StrictHostKeyChecking=no";

/** What the ssh of git is called with, as shell text, which git takes it for. */
function sshCommand(args: Args): string {
  const opts = text(args, "ssh_opts");
  if (/[\0\n]/.test(opts)) throw new ArgumentError("ssh_opts are one line", "ssh_opts");
  const said = opts.includes(NO_CHECKING) || opts.includes("StrictHostKeyChecking=accept-new");
  const words = [
    ...(opts === "" ? [] : [opts]),
    ...(flag(args, "accept_newhostkey") && !said ? ["-o StrictHostKeyChecking=accept-new"] : []),
    ...(flag(args, "accept_hostkey") && !opts.includes(NO_CHECKING) ? [`-o ${NO_CHECKING}`] : []),
    ...(opts.includes("BatchMode=yes") ? [] : ["-o BatchMode=yes"]),
    ...(given(args, "key_file") ? [`-i ${pathWord(text(args, "key_file"))} -o IdentitiesOnly=yes`] : []),
  ];
  return words.join(" ");
}

/** A word that git takes for no option. @throws ArgumentError */
function name(args: Args, argument: string): string {
  const value = text(args, argument);
  if (value.startsWith("-") || /[\0\n\r]/.test(value)) {
    throw new ArgumentError(`${argument} is ${JSON.stringify(value)}, which git would not take for one`, argument);
  }
  return value;
}

/** ansible.builtin.git */
export const git: TaskModule = {
  spec: {
    name: "git",
    refused: {
      reference: BY_COMMAND,
      verify_commit: BY_COMMAND,
      gpg_whitelist: BY_COMMAND,
      track_submodules: BY_COMMAND,
      separate_git_dir: BY_COMMAND,
      archive: "Use command with git archive and creates.",
      archive_prefix: "Use command with git archive and creates.",
    },
    args: {
      repo: { type: "str", required: true, aliases: ["name"] },
      dest: { type: "path" },
      version: { type: "str", default: "HEAD" },
      remote: { type: "str", default: "origin" },
      refspec: { type: "str" },
      force: { type: "bool", default: false },
      depth: { type: "int", default: 0 },
      clone: { type: "bool", default: true },
      update: { type: "bool", default: true },
      accept_hostkey: { type: "bool", default: false },
      accept_newhostkey: { type: "bool", default: false },
      key_file: { type: "path" },
      ssh_opts: { type: "str" },
      executable: { type: "path" },
      bare: { type: "bool", default: false },
      recursive: { type: "bool", default: true },
      single_branch: { type: "bool", default: false },
      umask: { type: "raw" },
    },
  },
  returns: { before: "json", after: "str", remote_url_changed: "bool", submodules_changed: "bool" },
  build(args) {
    if (flag(args, "accept_hostkey") && flag(args, "accept_newhostkey")) {
      throw new ArgumentError("accept_hostkey and accept_newhostkey exclude each other", "accept_newhostkey");
    }
    const { umask } = args;
    if (umask !== undefined && (typeof umask !== "string" || !/^0?[0-7]{1,4}$/.test(umask))) {
      throw new ArgumentError("umask must be defined as a quoted octal integer", "umask");
    }
    if (!given(args, "dest")) {
      throw new ArgumentError("the destination directory must be specified", "dest");
    }
    const source = name(args, "repo");
    const repo = /^[/~]/.test(source) ? `file://${pathWord(source)}` : word(source);
    const flags = [
      ...[flag(args, "force") ? "f" : "", flag(args, "clone") ? "c" : "", flag(args, "update") ? "u" : ""],
      ...[flag(args, "bare") ? "b" : "", flag(args, "recursive") ? "r" : "", flag(args, "single_branch") ? "s" : ""],
    ].join("");
    const depth = Number(args.depth) > 0 ? text(args, "depth") : "";
    const program = given(args, "executable") ? pathWord(text(args, "executable")) : "git";
    const words = [name(args, "version"), name(args, "remote"), depth, name(args, "refspec"), flags, sshCommand(args)];
    const shell = `m_git ${[repo, pathWord(text(args, "dest")), ...words.map(word), program].join(" ")}\n`;
    return {
      shell: umask === undefined ? shell : `umask ${umask}\n${shell}umask 022\n`,
      libs: ["git"],
    };
  },
};
