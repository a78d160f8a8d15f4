import { Box, Text } from "ink";
import type { Question, QuestionContext } from "../../wizard/question.js";
import { Line } from "../components/line.js";
import { TextInput } from "../components/text-input.js";
import { useTheme } from "../theme.js";
import { windowOf } from "../window.js";

export interface FieldsProps {
  readonly questions: readonly Question[];
  readonly context: QuestionContext;
  /** Texts by question, as they stand in the fields. */
  readonly texts: Readonly<Record<string, string>>;
  /** Number of the active field; -1 for none. */
  readonly active: number;
  readonly error: string;
  readonly reveal: boolean;
  /** Rows that fields, help and error may take. */
  readonly rows: number;
  readonly onText: (text: string) => void;
  /** Keys are for this page. */
  readonly listening: boolean;
}

/** A form: one row a question, help and error under the active one. What does not fit is out of sight around it. */
export function Fields({ questions, context, texts, active, error, reveal, rows, onText, listening }: FieldsProps) {
  const { symbols } = useTheme();
  const width = Math.max(...questions.map((question) => question.label.length));
  const { shown } = windowOf(questions, Math.max(0, active), Math.max(1, rows - 2));
  return (
    <Box flexDirection="column">
      {shown.map((question) => {
        const here = questions[active] === question;
        const text = texts[question.key] ?? "";
        return (
          <Box key={question.key} flexDirection="column">
            <Box>
              <Text wrap="truncate" {...(here ? { color: "cyan" } : {})}>
                {`${here ? symbols.pointer : " "} ${question.label.padEnd(width)}  `}
              </Text>
              <Value
                question={question}
                context={context}
                text={text}
                here={here}
                reveal={reveal}
                onText={onText}
                listening={listening}
              />
            </Box>
            {here && <Line>{`    ${noteOf(question, context, text)}`}</Line>}
            {here && error !== "" && <Line color="red">{`  ${symbols.failed} ${error}`}</Line>}
          </Box>
        );
      })}
    </Box>
  );
}

interface ValueProps {
  readonly question: Question;
  readonly context: QuestionContext;
  readonly text: string;
  readonly here: boolean;
  readonly reveal: boolean;
  readonly onText: (text: string) => void;
  readonly listening: boolean;
}

function Value({ question, context, text, here, reveal, onText, listening }: ValueProps) {
  const { symbols } = useTheme();
  if (question.kind === "select") {
    const choices = question.choices?.(context) ?? [];
    const label = choices.find((choice) => choice.value === text)?.label ?? text;
    return <Text wrap="truncate">{here ? `< ${label} >` : label}</Text>;
  }
  const secret = question.kind === "secret";
  const placeholder = secret ? "generated" : question.default(context) === "" ? "none" : question.default(context);
  if (secret && text !== "" && !reveal && !here) return <Text>{`${"*".repeat(8)} ${symbols.separator} given`}</Text>;
  return (
    <TextInput
      value={text}
      onChange={onText}
      mask={secret && !reveal}
      placeholder={placeholder}
      isActive={here && listening}
    />
  );
}

function noteOf(question: Question, context: QuestionContext, text: string): string {
  const choice = question.choices?.(context).find((one) => one.value === text);
  return choice?.note ?? question.help;
}
