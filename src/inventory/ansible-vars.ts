/** Variables for reaching a host: Ansible's, and one of ours beside them. Others that begin with `ansible_` are errors, so that no typo goes unseen. */
export const usedAnsibleVars = [
  "ansible_host",
  "ansible_port",
  "ansible_user",
  "ansible_connection",
  "edge_connection",
  "ansible_ssh_private_key_file",
  "ansible_private_key_file",
  "ansible_password",
  "ansible_ssh_pass",
  "ansible_ssh_password",
  "ansible_ssh_host",
  "ansible_ssh_port",
  "ansible_ssh_user",
  "ansible_become",
  "ansible_become_user",
  "ansible_become_method",
  "ansible_become_password",
  "ansible_become_pass",
  "ansible_group_priority",
];

/** For `ansible-playbook` on the same inventory; they mean nothing to an engine without Python or SFTP. */
export const ansibleOnlyVars = [
  "ansible_python_interpreter",
  "ansible_pipelining",
  "ansible_ssh_pipelining",
  "ansible_remote_tmp",
  "ansible_remote_tmpdir",
  "ansible_ssh_transfer_method",
];

export const knownAnsibleVars: ReadonlySet<string> = new Set([...usedAnsibleVars, ...ansibleOnlyVars]);

const inSshConfig = "write it for this host in ~/.ssh/config, which both edge-setup and Ansible read";

/** Variables that Ansible would obey and edge-setup cannot, each with what to do instead. */
export const unsupportedAnsibleVars: ReadonlyMap<string, string> = new Map([
  ["ansible_ssh_common_args", inSshConfig],
  ["ansible_ssh_extra_args", inSshConfig],
  ["ansible_ssh_args", inSshConfig],
  ["ansible_ssh_executable", inSshConfig],
  ["ansible_host_key_checking", "new keys are asked about; --accept-new takes them"],
  ["ansible_ssh_host_key_checking", "new keys are asked about; --accept-new takes them"],
  ["ansible_shell_type", "every host needs a POSIX sh, and nothing else is used"],
  ["ansible_shell_executable", "every host needs a POSIX sh, and nothing else is used"],
  ["ansible_become_exe", "sudo is found in PATH"],
  ["ansible_become_flags", "sudo is called with the flags it needs"],
]);
