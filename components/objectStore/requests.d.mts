interface Request {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Login {
  readonly user: string;
  readonly password: string;
}

export function signed(request: Request & { readonly host: string; readonly login: Login }): {
  readonly path: string;
  readonly headers: Record<string, string>;
};
export function sealed(password: string, text: string): Buffer;
