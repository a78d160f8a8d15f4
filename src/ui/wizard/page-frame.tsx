import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { Page } from "../../wizard/question.js";
import { type FooterItem, KeyFooter } from "../components/key-footer.js";
import { useTerminalSize } from "../hooks/use-terminal-size.js";
import { useTheme } from "../theme.js";

const titles: Record<Page, string> = {
  hosts: "Which hosts become edges?",
  login: "How are they reached?",
  stream: "What is streamed?",
  secrets: "Who may publish, who may look?",
  domain: "Do they have a name?",
  review: "What will happen",
};

/** Rows of header and footer. */
export const FRAME_ROWS = 2;

export interface PageFrameProps {
  readonly page: Page;
  readonly pages: readonly Page[];
  readonly footer: readonly FooterItem[];
  readonly children: ReactNode;
}

/** A page with where one is above it, and the keys that matter below it. */
export function PageFrame({ page, pages, footer, children }: PageFrameProps) {
  const { symbols } = useTheme();
  // Ink cuts a wide character one column late; a free column keeps heights true.
  const { columns } = useTerminalSize();
  return (
    <Box flexDirection="column" width={columns - 1}>
      <Text wrap="truncate" bold>
        {`edge-setup ${symbols.separator} ${pages.indexOf(page) + 1}/${pages.length} ${titles[page]}`}
      </Text>
      {children}
      <KeyFooter screen="wizard" items={footer} />
    </Box>
  );
}
