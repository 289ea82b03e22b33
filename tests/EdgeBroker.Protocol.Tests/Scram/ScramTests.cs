using System.Text;
using CsCheck;
using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Protocol.Tests.Scram;

public class ScramTests
{
    private const string ClientNonce = "rOprNGfwEbeRWgbNEkqO";
    private const string ServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private const string ServerFirst = "r=" + ClientNonce + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private const string ClientFinal = "c=biws,r=" + ClientNonce + ServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private const string ServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    private static readonly byte[] Salt = Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==");
    private static readonly ScramCredentials Pencil = ScramCredentials.Make("pencil", Salt, 4096);

    private static readonly Gen<string> Name = Gen.Char["az,=09 äß"].Array[1, 20].Select(chars => new string(chars));

    [Fact]
    public void The_exchange_of_RFC_7677_is_reproduced_on_both_sides()
    {
        var client = new ScramClient("user", "pencil", ClientNonce);
        Assert.Equal("n,,n=user,r=" + ClientNonce, Text(client.First));
        Assert.Equal(ScramOutcome.Right, ScramClientFirst.TryParse(client.First, out ScramClientFirst first));
        Assert.Equal(("user", ClientNonce, "n,,"), (first.UserName, first.Nonce, first.Header));
        var server = new ScramServer(first, Pencil, ServerNonce);
        Assert.Equal(ServerFirst, Text(server.First));
        Assert.True(client.TryAnswer(server.First, out byte[] answer, out string problem), problem);
        Assert.Equal(ClientFinal, Text(answer));
        Assert.Equal(ScramOutcome.Right, server.Finish(answer, out byte[] last));
        Assert.Equal(ServerFinal, Text(last));
        Assert.True(client.IsConfirmedBy(last));
        Assert.True(Pencil.Match("pencil"));
        Assert.False(Pencil.Match("Pencil"));
    }

    [Theory]
    [InlineData("n,,n=user,r=abc", ScramOutcome.Right)]
    [InlineData("y,,n=user,r=abc", ScramOutcome.Right)]
    [InlineData("n,a=user,n=user,r=abc", ScramOutcome.Right)]
    [InlineData("n,,n=user,r=abc,x=anything=,Y=2", ScramOutcome.Right)]
    [InlineData("n,,n=us=3Der=2C,r=!~", ScramOutcome.Right)]
    [InlineData("p=tls-exporter,,n=user,r=abc", ScramOutcome.ChannelBinding)]
    [InlineData("n,a=other,n=user,r=abc", ScramOutcome.OtherIdentity)]
    [InlineData("n,,m=ext,n=user,r=abc", ScramOutcome.UnknownExtension)]
    [InlineData("n,,n=user\u0007,r=abc", ScramOutcome.UserNameNotTaken)]
    [InlineData("n,,n=\uFF21,r=abc", ScramOutcome.UserNameNotTaken)]
    [InlineData("", ScramOutcome.Malformed)]
    [InlineData("n", ScramOutcome.Malformed)]
    [InlineData("n,", ScramOutcome.Malformed)]
    [InlineData("n,,", ScramOutcome.Malformed)]
    [InlineData("x,,n=user,r=abc", ScramOutcome.Malformed)]
    [InlineData("n=user,r=abc", ScramOutcome.Malformed)]
    [InlineData("n,b=user,n=user,r=abc", ScramOutcome.Malformed)]
    [InlineData("n,a=,n=user,r=abc", ScramOutcome.Malformed)]
    [InlineData("n,a=u=2,n=user,r=abc", ScramOutcome.Malformed)]
    [InlineData("n,,n=,r=abc", ScramOutcome.Malformed)]
    [InlineData("n,,n=us=2cer,r=abc", ScramOutcome.Malformed)]
    [InlineData("n,,n=us=er,r=abc", ScramOutcome.Malformed)]
    [InlineData("n,,n=user=,r=abc", ScramOutcome.Malformed)]
    [InlineData("n,,n=user", ScramOutcome.Malformed)]
    [InlineData("n,,r=abc,n=user", ScramOutcome.Malformed)]
    [InlineData("n,,n=user,r=", ScramOutcome.Malformed)]
    [InlineData("n,,n=user,r=a b", ScramOutcome.Malformed)]
    [InlineData("n,,n=user,r=ä", ScramOutcome.Malformed)]
    [InlineData("n,,n=user,r=abc,", ScramOutcome.Malformed)]
    [InlineData("n,,n=user,r=abc,xy", ScramOutcome.Malformed)]
    [InlineData("n,,n=user,r=abc,1=2", ScramOutcome.Malformed)]
    [InlineData("n,,n=user,r=abc,m=ext", ScramOutcome.Malformed)]
    [InlineData("n,,n=us\0er,r=abc", ScramOutcome.Malformed)]
    public void A_first_message_is_read_strictly(string message, ScramOutcome expected)
    {
        Assert.Equal(expected, ScramClientFirst.TryParse(Encoding.UTF8.GetBytes(message), out ScramClientFirst first));
        if (expected == ScramOutcome.Right) Assert.Equal(message, first.Header + first.Bare);
        else Assert.Null(first);
    }

    [Fact]
    public void A_first_message_is_bounded_and_text()
    {
        Assert.Equal(ScramOutcome.Malformed, ScramClientFirst.TryParse([.. "n,,n="u8, 0xFF, .. ",r=abc"u8], out _));
        Assert.Equal(ScramOutcome.Right, FirstOf("n,,n=user,r=" + new string('a', 256)));
        Assert.Equal(ScramOutcome.Malformed, FirstOf("n,,n=user,r=" + new string('a', 257)));
        string fill = new('a', ScramSha256.MaxMessageBytes - "n,,n=,r=abc".Length);
        Assert.Equal(ScramOutcome.Right, FirstOf($"n,,n={fill},r=abc"));
        Assert.Equal(ScramOutcome.Malformed, FirstOf($"n,,n={fill}a,r=abc"));
        Assert.Equal(ScramOutcome.Right, ScramClientFirst.TryParse("n,,n=us=3Der=2C=3D2C,r=abc"u8, out ScramClientFirst first));
        Assert.Equal("us=er,=2C", first.UserName);
    }

    [Theory]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ScramOutcome.WrongProof)]
    [InlineData("c=eSws,r=" + ClientNonce + ServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ScramOutcome.OtherExchange)]
    [InlineData("c=biws,r=" + ClientNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ScramOutcome.OtherExchange)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + "0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ScramOutcome.OtherExchange)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",x=1,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ScramOutcome.WrongProof)]
    [InlineData("m=x,c=biws,r=" + ClientNonce + ServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ScramOutcome.UnknownExtension)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce, ScramOutcome.Malformed)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=", ScramOutcome.Malformed)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=dHzb", ScramOutcome.Malformed)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ", ScramOutcome.Malformed)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVR=", ScramOutcome.Malformed)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=,x=1", ScramOutcome.Malformed)]
    [InlineData("c=bi ws,r=" + ClientNonce + ServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ScramOutcome.Malformed)]
    [InlineData("r=" + ClientNonce + ServerNonce + ",c=biws,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ScramOutcome.Malformed)]
    [InlineData("", ScramOutcome.Malformed)]
    [InlineData(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ScramOutcome.Malformed)]
    public void A_second_message_is_read_strictly(string message, ScramOutcome expected)
    {
        Assert.Equal(expected, Server().Finish(Encoding.UTF8.GetBytes(message), out byte[] last));
        Assert.Empty(last);
    }

    [Theory]
    [InlineData("r=" + ClientNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "does not answer this client's question")]
    [InlineData("r=other" + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "does not answer this client's question")]
    [InlineData("r=" + ClientNonce + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", "number of iterations")]
    [InlineData("r=" + ClientNonce + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", "number of iterations")]
    [InlineData("r=" + ClientNonce + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=5000001", "number of iterations")]
    [InlineData("r=" + ClientNonce + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999", "number of iterations")]
    [InlineData("r=" + ClientNonce + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=04096", "number of iterations")]
    [InlineData("r=" + ClientNonce + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==", "not SCRAM's")]
    [InlineData("r=" + ClientNonce + ServerNonce + ",s=W2*ZaJ0SNY7soEsUEjb6gQ==,i=4096", "not SCRAM's")]
    [InlineData("m=x,r=" + ClientNonce + ServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "extension")]
    [InlineData("e=unknown-user", "not SCRAM's")]
    [InlineData("", "not SCRAM's")]
    public void A_client_answers_no_other_question(string serverFirst, string problem)
    {
        var client = new ScramClient("user", "pencil", ClientNonce);
        Assert.False(client.TryAnswer(Encoding.UTF8.GetBytes(serverFirst), out byte[] answer, out string said));
        Assert.Empty(answer);
        Assert.Contains(problem, said, StringComparison.Ordinal);
        Assert.False(client.IsConfirmedBy("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="u8));
    }

    [Fact]
    public void A_client_answers_once_and_believes_one_signature_only()
    {
        var client = new ScramClient("user", "pencil", ClientNonce);
        Assert.False(client.IsConfirmedBy(Encoding.UTF8.GetBytes(ServerFinal)));
        Assert.True(client.TryAnswer(Encoding.UTF8.GetBytes(ServerFirst), out _, out _));
        Assert.False(client.TryAnswer(Encoding.UTF8.GetBytes(ServerFirst), out _, out string problem));
        Assert.Contains("a second time", problem, StringComparison.Ordinal);
        foreach (string other in new[] { "", "v=", "e=other-error", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ServerFinal + ",", "x=1," + ServerFinal })
        {
            Assert.False(client.IsConfirmedBy(Encoding.UTF8.GetBytes(other)), other);
        }

        Assert.True(client.IsConfirmedBy(Encoding.UTF8.GetBytes(ServerFinal + ",x=1")));
    }

    [Fact]
    public void Whoever_knows_the_password_is_let_in_and_nobody_else() => Gen.Select(Name, Name, Name).Sample(
        (user, password, presented) =>
        {
            var client = new ScramClient(user, presented, ScramSha256.NewNonce());
            Assert.Equal(ScramOutcome.Right, ScramClientFirst.TryParse(client.First, out ScramClientFirst first));
            Assert.Equal(user, first.UserName);
            var server = new ScramServer(first, ScramCredentials.Make(password, Salt, 4096), ScramSha256.NewNonce());
            Assert.True(client.TryAnswer(server.First, out byte[] answer, out _));
            ScramOutcome outcome = server.Finish(answer, out byte[] last);
            Assert.Equal(password == presented ? ScramOutcome.Right : ScramOutcome.WrongProof, outcome);
            Assert.Equal(password == presented, client.IsConfirmedBy(last));
        },
        iter: 100);

    [Fact]
    public void No_change_to_a_message_gets_through()
    {
        Gen<byte[]> damaged = Damaged(ClientFinal);
        ScramServer server = Server();
        damaged.Sample(
            bytes => Assert.True(Text(bytes) == ClientFinal || server.Finish(bytes, out _) != ScramOutcome.Right), iter: 20_000, print: Convert.ToHexString);
        // The signature covers every byte of the first message but its header, and the second message repeats that.
        Damaged("n,,n=user,r=" + ClientNonce).Sample(
            bytes =>
            {
                if (ScramClientFirst.TryParse(bytes, out ScramClientFirst first) != ScramOutcome.Right) return;
                Assert.Equal(Encoding.UTF8.GetString(bytes), first.Header + first.Bare);
                bool isSame = first.Header + first.Bare == "n,,n=user,r=" + ClientNonce;
                Assert.Equal(isSame, new ScramServer(first, Pencil, ServerNonce).Finish(Encoding.UTF8.GetBytes(ClientFinal), out _) == ScramOutcome.Right);
            },
            iter: 20_000,
            print: Convert.ToHexString);
    }

    [Fact]
    public void Arbitrary_bytes_are_answered_by_no_exception() => Gen.Byte.Array[0, 200].Sample(
        bytes =>
        {
            _ = ScramClientFirst.TryParse(bytes, out _);
            _ = Server().Finish(bytes, out _);
            _ = new ScramClient("u", "p", "n").TryAnswer(bytes, out _, out _);
        },
        iter: 5_000,
        print: Convert.ToHexString);

    [Fact]
    public void Nonces_are_new_each_time_and_free_of_commas()
    {
        string[] nonces = [.. Enumerable.Range(0, 100).Select(_ => ScramSha256.NewNonce())];
        Assert.Equal(100, nonces.Distinct().Count());
        Assert.DoesNotContain(nonces, nonce => nonce.Contains(',') || nonce.Length != 24);
    }

    private static Gen<byte[]> Damaged(string valid) => Gen.Select(Gen.Int[0, valid.Length], Gen.Int[0, 3], Gen.Char[" ~"]).Array[1, 3].Select(changes =>
    {
        List<byte> bytes = [.. Encoding.UTF8.GetBytes(valid)];
        foreach ((int place, int kind, char value) in changes)
        {
            int at = Math.Min(place, bytes.Count);
            if (kind == 0 || at == bytes.Count) bytes.Insert(at, (byte)value);
            else if (kind == 1) bytes.RemoveAt(at);
            else if (kind == 2) bytes[at] = (byte)value;
            else bytes[at] ^= (byte)(1 << (value % 8));
        }

        return bytes.ToArray();
    });

    private static ScramServer Server()
    {
        Assert.Equal(ScramOutcome.Right, ScramClientFirst.TryParse(Encoding.UTF8.GetBytes("n,,n=user,r=" + ClientNonce), out ScramClientFirst first));
        return new ScramServer(first, Pencil, ServerNonce);
    }

    private static ScramOutcome FirstOf(string message) => ScramClientFirst.TryParse(Encoding.UTF8.GetBytes(message), out _);

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
