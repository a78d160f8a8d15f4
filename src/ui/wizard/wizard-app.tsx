import { Box } from "ink";
import { useMemo, useState } from "react";
import { Secret } from "../../util/secret.js";
import { pagesOf } from "../../wizard/flow.js";
import type { Page, Question } from "../../wizard/question.js";
import type { Answers, HostCheck, Questions, WizardOutcome, WizardServices } from "../../wizard/types.js";
import { HelpOverlay } from "../components/help-overlay.js";
import { ModalView } from "../components/modal.js";
import { useKeys } from "../hooks/use-keys.js";
import { useSuspend } from "../hooks/use-suspend.js";
import { useTerminalSize } from "../hooks/use-terminal-size.js";
import { commandFor } from "../keymap.js";
import { type Modal, ModalQueue } from "../modal-queue.js";
import { hostKeyText } from "../prompts/prompter.js";
import { FormPage } from "./form-page.js";
import { HostsPage } from "./hosts-page.js";
import { LoginPage } from "./login-page.js";
import type { PageProps } from "./page-props.js";
import { ReviewPage } from "./review-page.js";

export interface WizardAppProps {
  readonly questions: readonly Question[];
  readonly services: WizardServices;
  readonly initial: Answers;
  readonly onEnd: (outcome: WizardOutcome) => void;
}

/** The wizard: one page at a time, answers that stay, and questions of the transport over whatever page is open. */
export function WizardApp({ questions, services, initial, onEnd }: WizardAppProps) {
  const { rows } = useTerminalSize();
  const suspend = useSuspend();
  const [answers, setAnswers] = useState(initial);
  const [checks, setChecks] = useState<Readonly<Record<string, HostCheck>>>({});
  const [page, setPage] = useState<Page>("hosts");
  const [help, setHelp] = useState(false);
  const [modal, setModal] = useState<Modal>();
  const asks = useAsks(setModal);
  const context = { answers, checks };
  const pages = pagesOf(questions, context);

  useKeys((input, key) => {
    const command = commandFor("wizard", input, key);
    // A question over the page answers it with no first.
    if (command === "cancel" && modal === undefined) onEnd({ action: "cancel" });
    else if (command === "suspend") suspend();
    else if (help) setHelp(false);
    else if (command === "help" && modal === undefined) setHelp(true);
  });

  const props: PageProps = {
    page,
    pages,
    questions,
    context,
    services,
    asks,
    active: modal === undefined && !help,
    onCheck: (host, check) => setChecks((old) => ({ ...old, [host]: check })),
    onNext: (given = answers) => {
      setAnswers(given);
      const open = pagesOf(questions, { answers: given, checks });
      setPage(open[open.indexOf(page) + 1] ?? page);
    },
    onBack: (given = answers) => {
      setAnswers(given);
      setPage(pages[pages.indexOf(page) - 1] ?? page);
    },
  };
  return (
    <>
      {modal !== undefined && <ModalView modal={modal} onInterrupt={() => onEnd({ action: "cancel" })} />}
      {modal === undefined && help && <HelpOverlay screen="wizard" rows={rows - 2} />}
      <Box flexDirection="column" display={props.active ? "flex" : "none"}>
        <CurrentPage {...props} onEnd={onEnd} />
      </Box>
    </>
  );
}

function CurrentPage({ onEnd, ...props }: PageProps & Pick<WizardAppProps, "onEnd">) {
  switch (props.page) {
    case "hosts":
      return <HostsPage {...props} />;
    case "login":
      return <LoginPage {...props} />;
    case "review":
      return <ReviewPage {...props} onEnd={onEnd} />;
    case "stream":
    case "secrets":
    case "domain":
      return <FormPage key={props.page} {...props} />;
  }
}

/** Questions of the transport as modals, one after the other. */
function useAsks(show: (modal: Modal | undefined) => void): Questions {
  return useMemo(() => {
    const queue = new ModalQueue(show);
    return {
      confirmHostKey: (question) => queue.confirm(hostKeyText(question)),
      async askSecret(text) {
        const given = await queue.line("secret", text);
        return given === undefined ? undefined : new Secret(given);
      },
    };
  }, [show]);
}
