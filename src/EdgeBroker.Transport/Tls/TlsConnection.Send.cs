namespace EdgeBroker.Transport.Tls;

// What waits is encrypted and sent, and with it the end of TLS.
public sealed partial class TlsConnection
{
    /// <summary>Encrypts what waits, as long as the socket takes it; what is to be the end is encrypted in any case.</summary>
    private void Send()
    {
        byte[] toSend = _toSend ??= GC.AllocateUninitializedArray<byte>(SendBytes);
        while (_stage == TlsStage.Open && !_lower.IsClosing)
        {
            bool isFull = _lower.Output.Length >= MaxEncryptedBytes && !IsClosing;
            int count = 0;
            bool wantsCallback;
            lock (Output.SyncRoot.Alone())
            {
                if (!isFull) count = Output.MoveTo(toSend);
                wantsCallback = WantsCallbackWhenDrained && count == 0 && !isFull && !IsClosing;
                if (wantsCallback && _lower.Output.Length == 0) WantsCallbackWhenDrained = false;
            }

            if (count > 0) Encrypt(toSend.AsMemory(0, count));
            else if (isFull || (wantsCallback && _lower.Output.Length > 0)) _lower.WantsCallbackWhenDrained = true;
            else if (wantsCallback) Handler.OnCallback();
            else if (IsClosing) Finish();
            if (count == 0 && (!wantsCallback || _lower.Output.Length > 0)) return;
        }
    }

    private void Encrypt(ReadOnlyMemory<byte> plain)
    {
        try
        {
            _records!.Encrypt(plain);
        }
        catch (Exception exception) when (ServerHandshake.IsExpected(exception))
        {
            _lower.Finish("the connection broke: " + exception.Message);
        }
    }

    private void Finish()
    {
        if (!ClosesAtOnce) _records!.SayGoodbye();
        lock (Output.SyncRoot.Alone())
        {
            _lower.ClosesAtOnce = ClosesAtOnce;
            _lower.Close();
        }
    }
}
