import { join } from "node:path";
import { loadSync } from "@grpc/proto-loader";

/** How messages are read: by full name, such as `csi.v1.ProbeResponse`. */
export type Schema = Readonly<Record<string, MessageSchema>>;

export interface MessageSchema {
  /** Whether its fields are the members of one oneof, of which the last one on the wire holds. */
  readonly isOneof: boolean;
  /** By field number. */
  readonly fields: Readonly<Record<number, FieldSchema>>;
}

export interface FieldSchema {
  readonly name: string;
  readonly repeated: boolean;
  readonly kind: FieldKind;
}

/** `names` of an enum are by number; `message` is a full name. Other types are in no message of ours. */
export type FieldKind =
  | { readonly type: "bool" | "int64" | "string" }
  | { readonly type: "enum"; readonly names: Readonly<Record<number, string>> }
  | { readonly type: "message"; readonly message: string };

/**
 * Reads messages, with all that they are made of, from a file of `proto/`.
 *
 * A Bun macro: it runs when the executable is built, so that the executable has this table and not protobufjs.
 *
 * @param messages full names
 * @throws where a message is not declared or a type is none of `FieldKind`, which stops the build
 */
export function readSchema(file: string, messages: readonly string[]): Schema {
  const declared = readDeclarations(join(import.meta.dir, "../../proto", file));
  const schema: Record<string, MessageSchema> = {};
  const wanted = [...messages];
  for (const name of wanted) {
    if (name in schema) continue;
    const message = declared.messages.get(name);
    if (message === undefined) throw new Error(`proto/${file} declares no message ${name}`);
    const fields = message.field.map((field) => readField(declared, name, field));
    schema[name] = { isOneof: message.oneofDecl.length > 0, fields: Object.fromEntries(fields) };
    wanted.push(...fields.flatMap(([, { kind }]) => (kind.type === "message" ? [kind.message] : [])));
  }
  return schema;
}

/** What is read of google/protobuf/descriptor.proto. */
interface MessageDescriptor {
  readonly name: string;
  readonly field: readonly FieldDescriptor[];
  readonly nestedType: readonly MessageDescriptor[];
  readonly enumType: readonly EnumDescriptor[];
  readonly oneofDecl: readonly unknown[];
}

interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  /** As written in the file: relative to the message. */
  readonly typeName: string;
}

interface EnumDescriptor {
  readonly name: string;
  readonly value: readonly { readonly name: string; readonly number: number }[];
}

interface Declarations {
  readonly messages: ReadonlyMap<string, MessageDescriptor>;
  readonly enums: ReadonlyMap<string, EnumDescriptor>;
}

function readDeclarations(path: string): Declarations {
  const messages = new Map<string, MessageDescriptor>();
  const enums = new Map<string, EnumDescriptor>();
  const declare = (name: string, message: MessageDescriptor): void => {
    messages.set(name, message);
    for (const nested of message.enumType) enums.set(`${name}.${nested.name}`, nested);
    for (const nested of message.nestedType) declare(`${name}.${nested.name}`, nested);
  };
  for (const [name, definition] of Object.entries(loadSync(path, { keepCase: true }))) {
    // proto-loader types a descriptor as `object`; of a message it is a DescriptorProto.
    if (definition["format"] === "Protocol Buffer 3 DescriptorProto")
      declare(name, definition["type"] as MessageDescriptor);
  }
  return { messages, enums };
}

function readField(declared: Declarations, message: string, field: FieldDescriptor): readonly [number, FieldSchema] {
  const { name, number, label } = field;
  return [number, { name, repeated: label === "LABEL_REPEATED", kind: kindOf(declared, message, field) }];
}

function kindOf(
  { messages, enums }: Declarations,
  message: string,
  { name, type, typeName }: FieldDescriptor,
): FieldKind {
  switch (type) {
    case "TYPE_BOOL":
      return { type: "bool" };
    case "TYPE_INT64":
      return { type: "int64" };
    case "TYPE_STRING":
      return { type: "string" };
    case "TYPE_MESSAGE":
      return { type: "message", message: resolve(messages, message, typeName) };
    case "TYPE_ENUM": {
      const values = enums.get(resolve(enums, message, typeName))?.value ?? [];
      return { type: "enum", names: Object.fromEntries(values.map((value) => [value.number, value.name])) };
    }
    default:
      throw new Error(`the reader of messages does not know the type ${type} of ${message}.${name}`);
  }
}

/** The innermost declaration of a name, as seen from a message. */
function resolve(declared: ReadonlyMap<string, unknown>, message: string, name: string): string {
  for (let scope = message; scope !== ""; scope = scope.slice(0, Math.max(0, scope.lastIndexOf(".")))) {
    if (declared.has(`${scope}.${name}`)) return `${scope}.${name}`;
  }
  if (declared.has(name)) return name;
  throw new Error(`${message} names ${name}, which is not declared`);
}
